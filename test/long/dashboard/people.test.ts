import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { readAdminToken } from "../../../src/admin/token.ts";
import { needs_chromium } from "../../support/browser.ts";
import {
	assertAccessible,
	assertLooks,
	type DashboardScene,
	startDashboard,
} from "../../support/dashboard-scene.ts";
import { stdioFixture } from "../../support/gateway.ts";
import { password } from "../../support/login-scene.ts";
import { ModernWire } from "../../support/wire-clients.ts";

const here = { skip: needs_chromium };

describe("people, their clients and their tenants", () => {
	let scene: DashboardScene;
	let page: Page;
	let admin: string;

	before(async () => {
		if (needs_chromium !== false) return;
		scene = await startDashboard({
			identity: { login: {} },
			servers: { echo: { ...stdioFixture("echo"), scope: "tenant" } },
			policy: [{ name: "a fair share", server: "echo", limit: { calls: "600/m", per: "tenant" } }],
		});
		({ page } = scene);
		const token = await readAdminToken(scene.gateway.daemon.plan.data);
		assert.ok(token.ok);
		admin = token.value;
		await page.getByText("With an API key or token").click();
		await page.getByLabel("Token or key").fill(admin);
		await page.getByRole("button", { name: "Sign in" }).last().click();
		await page.getByRole("heading", { level: 1, name: "Fleet" }).waitFor();
	});
	after(() => scene?.stop());

	const api = async (method: string, path: string, body?: object) => {
		const response = await fetch(`${scene.gateway.url}${path}`, {
			method,
			headers: { authorization: `Bearer ${admin}`, "content-type": "application/json" },
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		});
		return (await response.json()) as Record<string, unknown>;
	};
	const dialog = () => page.getByRole("dialog");
	const field = (name: string) => dialog().getByLabel(name, { exact: false }).first();
	const wrongAt = async (name: string, words: string) => {
		await dialog().getByText(words, { exact: false }).waitFor();
		assert.equal(await field(name).getAttribute("aria-invalid"), "true");
		const described = await field(name).getAttribute("aria-describedby");
		const told = await Promise.all(
			(described ?? "").split(" ").map((id) => page.locator(`[id="${id}"]`).textContent()),
		);
		assert.ok(told.join(" ").includes(words), `${words} is told with ${name}: ${told.join(" ")}`);
	};

	test("an empty page says what to do, and a person is added", here, async () => {
		await scene.visit("#/people", "People and access");
		await page.getByRole("heading", { name: "Nobody yet" }).waitFor();
		await page.getByRole("button", { name: "Add a person" }).click();
		const add = dialog().getByRole("button", { name: "Add", exact: true });
		assert.equal(await add.getAttribute("title"), "Name the user first.");
		await field("User").fill("ana b");
		await field("Password").fill("short");
		await field("User").press("Enter");
		await wrongAt("User", "cannot be a name");
		assert.equal(
			await page.evaluate("document.activeElement.getAttribute('aria-invalid')"),
			"true",
		);
		await assertAccessible(page, "a person with a wrong name");
		await field("User").fill("ana");
		await add.click();
		await wrongAt("Password", "A password has at least");
		await field("Password").fill(password);
		await field("Roles").fill("member, a,b c/");
		await add.click();
		await page.getByText("default/ana is added.").waitFor();
		await page.getByRole("button", { name: "Add a person" }).click();
		await field("User").fill("ana");
		await add.click();
		await wrongAt("User", "There is a user");
		await page.keyboard.press("Escape");
		scene.troubles.length = 0;
	});

	test(
		"of two people who change the same person the second is told, and loses nothing",
		here,
		async () => {
			const card = page.getByRole("region", { name: "default/ana" });
			await card.getByRole("button", { name: "Change" }).click();
			await field("Name").fill("Ana Maria");
			await api("POST", "/api/users/default/ana", { roles: ["operator"] });
			await dialog().getByRole("button", { name: "Change", exact: true }).click();
			await dialog().getByText("the roles are operator now", { exact: false }).waitFor();
			await assertAccessible(page, "a person whom somebody else changed");
			assert.equal(await field("Name").inputValue(), "Ana Maria");
			await dialog().getByRole("button", { name: "Show theirs, and drop mine" }).click();
			assert.equal(await field("Roles").inputValue(), "operator");
			assert.equal(await field("Name").inputValue(), "");
			await field("Name").fill("Ana Maria");
			await api("POST", "/api/users/default/ana", { display_name: "A." });
			await dialog().getByRole("button", { name: "Change", exact: true }).click();
			await dialog().getByText("the name is A. now", { exact: false }).waitFor();
			await dialog().getByRole("button", { name: "Keep what I typed" }).click();
			await dialog().getByRole("button", { name: "Change", exact: true }).click();
			await page.getByText("default/ana is changed.").waitFor();
			await card.getByRole("heading", { name: "Ana Maria" }).waitFor();
			scene.troubles.length = 0;
		},
	);

	test("signing somebody out everywhere says what it ends before it does", here, async () => {
		const opened = await fetch(`${scene.gateway.url}/api/session`, {
			method: "POST",
			headers: { "content-type": "application/json" },
			body: JSON.stringify({ name: "ana", password }),
		});
		assert.equal(opened.status, 201, await opened.text());
		const [cookie = ""] = (opened.headers.get("set-cookie") ?? "").split(";");
		const isIn = async () =>
			(await fetch(`${scene.gateway.url}/api/session`, { headers: { cookie } })).status === 200;
		const card = page.getByRole("region", { name: "default/ana" });
		await card.getByRole("button", { name: "Sign out everywhere" }).press("Enter");
		await dialog().getByText("Their API keys stay good.", { exact: false }).waitFor();
		await assertAccessible(page, "signing somebody out everywhere");
		assert.equal(await isIn(), true);
		await dialog().getByRole("button", { name: "Sign out", exact: true }).click();
		await page.getByText("default/ana is signed out everywhere.").waitFor();
		assert.equal(await isIn(), false);
	});

	test("many people are searched, and stand on pages", here, async () => {
		for (let at = 0; at < 60; at += 1) {
			const user = { user: `p${String(at).padStart(2, "0")}`, roles: ["member"], tenant: "acme" };
			await api("POST", "/api/users", user);
		}
		await page.reload();
		await page.getByText("61 people").waitFor();
		assert.equal(await page.locator("section.card").count(), 50);
		await page.getByRole("button", { name: "Show more, 11 are left" }).click();
		assert.equal(await page.locator("section.card").count(), 61);
		await page.getByLabel("Find a person").fill("p59");
		await page.getByText("1 of 61 people").waitFor();
		await page.getByRole("region", { name: "acme/p59" }).waitFor();
		await page.getByLabel("Find a person").fill("nobody of that name");
		await page.getByText("None of 61 people is like that.").waitFor();
		await assertLooks(page, "people-search");
	});

	test("keys are made for anybody, with what is wrong at its field", here, async () => {
		await scene.visit("#/people/keys", "People and access");
		await page.getByRole("heading", { name: "No keys yet" }).waitFor();
		await page.getByRole("button", { name: "Make a key" }).click();
		const make = dialog().getByRole("button", { name: "Make it" });
		assert.equal(await make.getAttribute("title"), "Name the key first.");
		await field("Name").fill("ci");
		await field("Tenant").fill("a c m e");
		await make.click();
		await wrongAt("Tenant", "cannot be a name");
		await field("Tenant").fill("acme");
		await field("User").fill("ci");
		await field("Scopes").fill('"');
		await make.click();
		await wrongAt("Scopes", "cannot be the name of a scope");
		await field("Scopes").fill("");
		await field("Days").fill("never");
		await wrongAt("Days", "A number of days, or nothing.");
		await field("Days").fill("1");
		await make.click();
		await dialog().getByText("It is shown this once.", { exact: false }).waitFor();
		await dialog().getByRole("button", { name: "Done" }).click();
		await page.getByRole("button", { name: "Make a key" }).click();
		await field("Name").fill("ci");
		await make.click();
		await wrongAt("Name", "There is a key named");
		await page.keyboard.press("Escape");
		await api("POST", "/api/keys", { name: "other", user: "bo" });
		await page.reload();
		await page.getByLabel("Find a key").fill("acme/ci");
		await page.getByText("1 of 2 keys").waitFor();
		scene.troubles.length = 0;
	});

	test("an OAuth client is added, shown with its secret once, and forgotten", here, async () => {
		await scene.visit("#/people/clients", "People and access");
		await page.getByRole("heading", { name: "No OAuth clients yet" }).waitFor();
		await page.getByRole("button", { name: "Add a client" }).click();
		const add = dialog().getByRole("button", { name: "Add", exact: true });
		await field("Id").fill("not an id");
		await add.click();
		await wrongAt("Id", "Invalid");
		await field("Id").fill("editor");
		await field("Redirect addresses").fill("javascript:alert(1)");
		await add.click();
		await wrongAt("Redirect addresses", "cannot be a redirect address");
		await field("Redirect addresses").fill("http://127.0.0.1/callback");
		await add.click();
		await dialog().getByText("editor", { exact: true }).waitFor();
		await dialog().getByRole("button", { name: "Done" }).click();
		await page.getByRole("button", { name: "Add a client" }).click();
		await field("Id").fill("nightly");
		await dialog().getByLabel("For whom it acts").selectOption("yes");
		assert.equal(await add.getAttribute("title"), "Say in whose name it acts first.");
		await field("User").fill("b o t");
		await add.click();
		await wrongAt("User", "cannot be a name");
		await field("User").fill("bot");
		await add.click();
		await dialog().getByText("Its secret is shown this once.", { exact: false }).waitFor();
		await assertAccessible(page, "the secret of a client");
		await dialog().getByRole("button", { name: "Done" }).click();
		await page.getByLabel("Find a client").fill("night");
		await page.getByText("1 of 2 clients").waitFor();
		await page.getByRole("button", { name: "Forget it" }).click();
		await dialog().getByText("its tokens are refused from now", { exact: false }).waitFor();
		await dialog().getByRole("button", { name: "Forget it" }).click();
		await page.getByText("The client is forgotten.").waitFor();
		scene.troubles.length = 0;
	});

	test(
		"a tenant is seen with its people, servers, limits and calls, and switched off",
		here,
		async () => {
			const made = await api("POST", "/api/keys", {
				name: "p00-laptop",
				user: "p00",
				tenant: "acme",
			});
			const bearer = { authorization: `Bearer ${String(made["key"])}` };
			const client = new ModernWire(scene.gateway.address("echo"));
			const params = '{"name":"echo","arguments":{"text":"mine"}}';
			const mine = () => client.ask({ method: "tools/call", params, headers: bearer });
			assert.match(JSON.stringify((await mine()).result), /mine/);
			await scene.visit("#/people/tenants", "People and access");
			const table = page.getByRole("region", { name: "Tenants" });
			const row = table.getByRole("row", { name: /^acme/ });
			await row.getByText("60", { exact: true }).waitFor();
			await page.getByLabel("Find a tenant", { exact: false }).fill("no such");
			await page.getByRole("heading", { name: "No tenant is like that" }).waitFor();
			await page.getByLabel("Find a tenant", { exact: false }).fill("acm");
			await row.waitFor();
			assert.equal(await table.getByRole("row").count(), 2);
			await assertLooks(page, "people-tenants");
			await row.getByRole("link", { name: "acme" }).click();
			await page.getByRole("region", { name: "Limits" }).getByText("a fair share").waitFor();
			await page.getByText("At most 600 calls in 1m", { exact: false }).waitFor();
			await page.getByRole("region", { name: "Members" }).getByText("p59").first().waitFor();
			const server = page
				.getByRole("region", { name: "Its servers" })
				.getByRole("row", { name: /echo/ });
			await server.getByText("one for the tenant").waitFor();
			await server.getByText("1", { exact: true }).waitFor();
			await server.getByText("20 of 20").waitFor();
			await assertLooks(page, "people-tenant");
			const one = page.getByRole("region", { name: "Tenant acme" });
			await one.getByRole("button", { name: "Switch off acme" }).click();
			await dialog().getByText("whatever they come with", { exact: false }).waitFor();
			const off = dialog().getByRole("button", { name: "Switch off" });
			assert.equal(await off.getAttribute("title"), "Say why first.");
			await field("Reason").fill("The invoice is open.");
			await off.click();
			await one.getByText("The invoice is open.", { exact: false }).waitFor();
			assert.match(JSON.stringify(await mine()), /The invoice is open/);
			await one.getByRole("button", { name: "Switch on" }).click();
			await one.getByRole("button", { name: "Switch off acme" }).waitFor();
			assert.deepEqual(scene.troubles, []);
		},
	);
});
