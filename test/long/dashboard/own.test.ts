import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { readAdminToken } from "../../../src/admin/token.ts";
import { needs_chromium } from "../../support/browser.ts";
import { connectV1 } from "../../support/clients.ts";
import {
	type ConsentingProvider,
	startConsentingProvider,
} from "../../support/consenting-provider.ts";
import {
	assertAccessible,
	assertLooks,
	type DashboardScene,
	startDashboard,
	takePicture,
} from "../../support/dashboard-scene.ts";
import { stdioFixture } from "../../support/gateway.ts";
import { password } from "../../support/login-scene.ts";

const here = { skip: needs_chromium };

describe("what is one's own", () => {
	let provider: ConsentingProvider;
	let scene: DashboardScene;
	let page: Page;
	let admin: string;
	let key: string;

	before(async () => {
		if (needs_chromium !== false) return;
		provider = await startConsentingProvider();
		const notes = { url: `${provider.issuer}/mcp`, auth: "oauth", scope: "user" };
		scene = await startDashboard({
			identity: { login: {} },
			servers: { echo: stdioFixture("echo"), notes: { ...notes, start: "on-demand" } },
		});
		({ page } = scene);
		const token = await readAdminToken(scene.gateway.daemon.plan.data);
		assert.ok(token.ok);
		admin = token.value;
		await api("POST", "/api/users", { user: "ana", password, roles: ["member"] });
		await api("POST", "/api/users", { user: "olga", password, roles: ["operator"] });
	});
	after(async () => {
		await scene?.stop();
		await provider?.stop();
	});

	const api = (method: string, path: string, body?: object) =>
		fetch(`${scene.gateway.url}${path}`, {
			method,
			headers: { authorization: `Bearer ${admin}`, "content-type": "application/json" },
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		});
	const signIn = async (name: string) => {
		await page.getByLabel("Name", { exact: true }).fill(name);
		await page.getByLabel("Password").fill(password);
		await page.getByRole("button", { name: "Sign in" }).first().click();
		await page.getByText(`default/${name}`).first().waitFor();
	};

	test("a member finds their servers, and the lines for a client of each", here, async () => {
		await signIn("ana");
		await page.getByRole("heading", { level: 1, name: "My connections" }).waitFor();
		const mine = page.getByRole("region", { name: "My servers" });
		await mine.getByText(`${scene.gateway.url}/echo/mcp`).first().waitFor();
		await mine.getByText("Connect a client to it alone").first().click();
		await mine.getByText("Address", { exact: true }).first().waitFor();
		await assertAccessible(page, "my connections");
	});

	test("a key is made once, shown once, works, and is removed", here, async () => {
		const keys = page.getByRole("region", { name: "My keys" });
		await keys.getByRole("button", { name: "Make a key" }).click();
		const dialog = page.getByRole("dialog");
		await dialog.getByLabel("Name").fill("a/b");
		await dialog.getByRole("button", { name: "Make it" }).click();
		await dialog.getByText("cannot be the name of a key", { exact: false }).waitFor();
		assert.equal(await dialog.getByLabel("Name").getAttribute("aria-invalid"), "true");
		await assertAccessible(page, "a key with a wrong name");
		await dialog.getByLabel("Name").fill("ana-laptop");
		await dialog.getByRole("button", { name: "Make it" }).click();
		await dialog.getByText("It is shown this once.", { exact: false }).waitFor();
		key = (await dialog.locator("code").textContent()) ?? "";
		await dialog.getByRole("button", { name: "Done" }).click();
		await keys.getByText("ana-laptop").waitFor();
		assert.equal((await page.content()).includes(key), false);
		const headers = { authorization: `Bearer ${key}` };
		const client = await connectV1(scene.gateway.address("echo"), {}, headers);
		const result = await client.callTool({ name: "echo", arguments: { text: "mine" } });
		assert.match(JSON.stringify(result), /mine/);
		await assertLooks(page, "mine");
	});

	/** What a member does: asks here, agrees at the service, and comes back. */
	const connectNotes = async () => {
		const accounts = page.getByRole("region", { name: "My accounts elsewhere" });
		await accounts.getByText("not connected").waitFor();
		await accounts.getByRole("button", { name: "Connect" }).click();
		await page.getByRole("heading", { name: "Connect notes" }).waitFor();
		await page.getByRole("button", { name: "Connect" }).click();
		await page.locator("[name=account]").waitFor();
		await page.locator("[name=account]").fill("ana-there");
		await page.locator("[type=submit], button").first().click();
		await page.getByRole("heading", { name: "notes is connected" }).waitFor();
		await scene.visit("#/mine", "My connections");
		await accounts.getByText("connected", { exact: true }).waitFor();
	};

	test("an account elsewhere is connected and ended where one stands", here, async () => {
		await connectNotes();
		const accounts = page.getByRole("region", { name: "My accounts elsewhere" });
		await accounts.getByRole("button", { name: "Disconnect notes" }).click();
		await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
		await page.getByText("notes is disconnected.").waitFor();
		await accounts.getByText("not connected").waitFor();
		// Left connected for whoever looks after the gateway.
		await connectNotes();
	});

	test("an operator sees whose accounts are connected, and ends one", here, async () => {
		await page.getByRole("button", { name: "Sign out" }).click();
		await signIn("olga");
		await scene.visit("#/people/accounts", "People and access");
		const table = page.getByRole("region", { name: "Accounts elsewhere" });
		await table.getByText("default/ana").waitFor();
		await assertLooks(page, "people-accounts");
		await table.getByRole("button", { name: "Disconnect default/ana from notes" }).press("Enter");
		const dialog = page.getByRole("dialog");
		await dialog.getByText("asks to connect again", { exact: false }).waitFor();
		await dialog.getByRole("button", { name: "Disconnect" }).click();
		await page.getByText("notes is disconnected.", { exact: false }).waitFor();
		await page.getByRole("heading", { name: "No account is connected yet" }).waitFor();
		await assertAccessible(page, "no accounts elsewhere");
	});

	test("an operator sees the session of a client, and ends it", here, async () => {
		await scene.visit("#/people/sessions", "People and access");
		const table = page.getByRole("region", { name: "Sessions of MCP clients" });
		await table.getByText("default/ana").first().waitFor();
		await assertAccessible(page, "sessions of clients");
		await takePicture(page, "people-sessions");
		await table.getByRole("button", { name: "End the session of default/ana at echo" }).click();
		const dialog = page.getByRole("dialog");
		await dialog.getByText("Its streams are closed", { exact: false }).waitFor();
		await dialog.getByRole("button", { name: "End it" }).click();
		await page.getByText("The session is ended.").waitFor();
		await page.getByText("No sessions").waitFor();
	});
});
