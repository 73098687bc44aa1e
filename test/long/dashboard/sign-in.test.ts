import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { readAdminToken } from "../../../src/admin/token.ts";
import { needs_chromium } from "../../support/browser.ts";
import {
	assertAccessible,
	assertFits,
	type DashboardScene,
	every_look,
	startDashboard,
	takePicture,
	watchTroubles,
} from "../../support/dashboard-scene.ts";
import { stdioFixture } from "../../support/gateway.ts";
import { type IdentityProvider, startIdentityProvider } from "../../support/identity-provider.ts";
import { password } from "../../support/login-scene.ts";
import { eventually } from "../../support/processes.ts";
import { ModernWire } from "../../support/wire-clients.ts";

const here = { skip: needs_chromium };

describe("signing in", () => {
	let elsewhere: IdentityProvider;
	let scene: DashboardScene;
	let page: Page;
	let admin: string;
	let partner: object;

	before(async () => {
		if (needs_chromium !== false) return;
		elsewhere = await startIdentityProvider();
		const { command, args } = stdioFixture("echo");
		const servers = { echo: { command, args, tools: { echo: { approval: "required" } } } };
		scene = await startDashboard({ identity: { login: {} }, servers });
		const { gateway } = scene;
		const client = await elsewhere.register({
			redirect_uris: [`${gateway.url}/oauth/login/callback`],
		});
		partner = {
			name: "partner",
			title: "The Partner",
			issuer: elsewhere.issuer,
			client_id: client.client_id,
			client_secret: client.client_secret,
			scopes: ["openid", "groups"],
			claims: { user: "sub", roles: "groups" },
			roles: { "mcp-operators": "operator" },
		};
		const identity = { login: { federated: [partner] } };
		assert.ok((await gateway.reconfigure({ identity, servers })).ok);
		const token = await readAdminToken(gateway.daemon.plan.data);
		assert.ok(token.ok);
		admin = token.value;
		await api("POST", "/api/users", { user: "ana", password, roles: ["operator", "approver"] });
		({ page } = scene);
		await page.reload();
	});
	after(async () => {
		await scene?.stop();
		await elsewhere?.stop();
	});

	const api = (method: string, path: string, body?: object) =>
		fetch(`${scene.gateway.url}${path}`, {
			method,
			headers: { authorization: `Bearer ${admin}`, "content-type": "application/json" },
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		});
	const fill = async (on: Page, secret = password) => {
		await on.getByLabel("Name", { exact: true }).fill("ana");
		await on.getByLabel("Password").fill(secret);
		await on.getByRole("button", { name: "Sign in" }).first().click();
	};
	const endSessions = async () => {
		const { sessions } = (await (await api("GET", "/api/sessions")).json()) as {
			sessions: { id: string }[];
		};
		for (const { id } of sessions) await api("DELETE", `/api/sessions/${id}`);
	};
	// The wide ones last: what follows is looked at there.
	for (const [theme, width] of every_look.toReversed()) {
		test(
			`the door in ${theme}, ${width} pixels wide, fits and keeps nobody out`,
			here,
			async () => {
				await page.setViewportSize({ width, height: 812 });
				await page.emulateMedia({ colorScheme: theme });
				await page.getByLabel("Password").waitFor();
				await takePicture(page, `sign-in-${theme}-${width}`);
				await assertAccessible(page, "the door");
				await assertFits(page, "the door");
				const plain = await scene.browser.open(`${scene.gateway.url}/sign-in`);
				const troubles = watchTroubles(plain);
				await plain.setViewportSize({ width, height: 812 });
				await plain.emulateMedia({ colorScheme: theme });
				await plain.reload();
				await takePicture(plain, `sign-in-page-${theme}-${width}`);
				await assertAccessible(plain, "the page without scripts");
				await assertFits(plain, "the page without scripts");
				assert.deepEqual(troubles, []);
				await plain.close();
			},
		);
	}

	test(
		"whoever mistypes is told at the field, and signs in with the keyboard alone",
		here,
		async () => {
			await page.getByLabel("Name", { exact: true }).focus();
			await page.keyboard.insertText("ana");
			await page.keyboard.press("Tab");
			await page.keyboard.insertText("not the password");
			await page.keyboard.press("Enter");
			const field = page.getByLabel("Password");
			await page.getByText("Name or password is wrong.", { exact: false }).waitFor();
			assert.equal(await field.getAttribute("aria-invalid"), "true");
			assert.equal(await page.evaluate("document.activeElement.type"), "password");
			await page.keyboard.press("Control+A");
			await page.keyboard.insertText(password);
			await page.keyboard.press("Enter");
			await page.getByRole("heading", { level: 1, name: "Fleet" }).waitFor();
			await page.getByText("default/ana").first().waitFor();
		},
	);

	test("a link that opens nothing any more says so where everybody sees it", here, async () => {
		const made = (await (await api("POST", "/api/keys", { name: "gone" })).json()) as {
			key: string;
		};
		const linked = await fetch(`${scene.gateway.url}/api/session/links`, {
			method: "POST",
			headers: { authorization: `Bearer ${made.key}` },
		});
		const { url } = (await linked.json()) as { url: string };
		await api("DELETE", "/api/keys/gone");
		const other = await scene.browser.open(url);
		const told = other.getByText("This token or key is not known here.", { exact: false });
		await told.waitFor();
		assert.ok(await told.isVisible());
		await assertAccessible(other, "a link that opens nothing");
		await other.close();
	});

	test(
		"a session that ends while somebody types is taken up again with the password",
		here,
		async () => {
			await scene.visit("#/people/rules", "People and access");
			const who = page.getByLabel("Who", { exact: false });
			await who.fill("acme/bo");
			await page.getByLabel("Calls").selectOption("echo echo");
			await endSessions();
			await page.getByRole("button", { name: "May they?" }).click();
			await page.getByText("Your session has ended.", { exact: false }).waitFor();
			await assertAccessible(page, "the door in front of a page");
			await fill(page);
			await page.getByRole("heading", { level: 1, name: "People and access" }).waitFor();
			assert.equal(await who.inputValue(), "acme/bo");
		},
	);

	/** What a person does on the pages of the provider, until they lead back to ours. */
	const logInThere = async (on: Page, user: string) => {
		const login = on.locator("[name=login]");
		const consent = on.getByRole("button", { name: "Continue" });
		const ours = on.locator("main h1");
		await login.or(consent).or(ours).first().waitFor();
		if (await login.isVisible()) {
			await login.fill(user);
			await on.locator("[name=password]").fill("x");
			await on.locator("[type=submit]").first().click();
			await consent.or(ours).first().waitFor();
		}
		if (await consent.isVisible()) await consent.click();
		await ours.waitFor();
	};

	test("somebody of a provider comes back to the place that they wanted to see", here, async () => {
		await page.getByRole("button", { name: "Sign out" }).click();
		await page.getByLabel("Password").waitFor();
		await page.goto(`${scene.gateway.url}/#/people/rules`);
		await page.getByRole("link", { name: "Continue with The Partner" }).click();
		await logInThere(page, "kay");
		await page.getByRole("heading", { level: 1, name: "People and access" }).waitFor();
		await page.getByText("default/kay").first().waitFor();
	});

	test("and takes up an ended session in a page of its own", here, async () => {
		const who = page.getByLabel("Who", { exact: false });
		await who.fill("acme/cy");
		await page.getByLabel("Calls").selectOption("echo echo");
		await endSessions();
		await page.getByRole("button", { name: "May they?" }).click();
		const opened = page.context().waitForEvent("page");
		await page.getByRole("link", { name: "Continue with The Partner" }).click();
		const other = await opened;
		await logInThere(other, "kay");
		await other.getByRole("heading", { name: "You are signed in" }).waitFor();
		await other.close();
		await page.bringToFront();
		await page.evaluate("window.dispatchEvent(new Event('focus'))");
		await page.getByRole("heading", { level: 1, name: "People and access" }).waitFor();
		assert.equal(await who.inputValue(), "acme/cy");
	});

	test("whoever signs in in another's place finds nothing that they typed", here, async () => {
		await page.getByLabel("Who", { exact: false }).fill("acme/secret");
		await page.getByLabel("Calls").selectOption("echo echo");
		await endSessions();
		await page.getByRole("button", { name: "May they?" }).click();
		await page.getByText("Your session has ended.", { exact: false }).waitFor();
		await fill(page);
		await page.getByText("default/ana").first().waitFor();
		assert.equal(await page.getByLabel("Who", { exact: false }).inputValue(), "");
	});

	test(
		"whoever came from a provider signs out there, too, and is asked there next time",
		here,
		async () => {
			await page.getByRole("button", { name: "Sign out" }).click();
			await page.getByLabel("Password").waitFor();
			assert.equal(new URL(page.url()).origin, scene.gateway.url, "a password leads nowhere else");
			await page.getByRole("link", { name: "Continue with The Partner" }).click();
			await logInThere(page, "kay");
			await page.getByText("default/kay").first().waitFor();
			await page.getByRole("button", { name: "Sign out" }).click();
			await page.waitForURL(`${elsewhere.issuer}/session/end?**`);
			await page.getByRole("button", { name: /Yes/ }).click();
			await page.waitForURL(`${elsewhere.issuer}/session/end/success**`);
			await page.goto(scene.gateway.url);
			await page.getByRole("link", { name: "Continue with The Partner" }).click();
			await page.locator("[name=login]").waitFor();
			await page.goto(scene.gateway.url);
			await fill(page);
			await page.getByText("default/ana").first().waitFor();
		},
	);

	test("an approval is given on a phone, by a link, with what was typed kept", here, async () => {
		const made = await api("POST", "/api/keys", { name: "bo", roles: ["operator"] });
		const { key } = (await made.json()) as { key: string };
		const calling = new ModernWire(scene.gateway.address("echo")).ask({
			method: "tools/call",
			params: '{"name":"echo","arguments":{"text":"pay 100"}}',
			headers: { authorization: `Bearer ${key}` },
		});
		const waiting = async () => {
			const { approvals } = (await (await api("GET", "/api/approvals")).json()) as {
				approvals: { id: string; state: string }[];
			};
			return approvals.find(({ state }) => state === "pending")?.id;
		};
		const id = await eventually(waiting, (found) => found !== undefined);
		await page.context().clearCookies();
		const phone = await scene.browser.open("about:blank");
		const troubles = watchTroubles(phone);
		await phone.setViewportSize({ width: 375, height: 812 });
		await phone.goto(`${scene.gateway.url}/approvals/${id}`);
		await phone.getByRole("heading", { name: "Sign in to decide" }).waitFor();
		await assertAccessible(phone, "the door of an approval");
		await assertFits(phone, "the door of an approval");
		await takePicture(phone, "approval-link-door");
		await fill(phone);
		await phone.getByText('{"text":"pay 100"}').first().waitFor();
		await phone.getByLabel("Reason").fill("It is the right sum.");
		await endSessions();
		await phone.getByRole("button", { name: "Approve" }).click();
		await phone.getByText("what you typed is still there", { exact: false }).waitFor();
		await fill(phone);
		await phone.getByText('{"text":"pay 100"}').first().waitFor();
		assert.equal(await phone.getByLabel("Reason").inputValue(), "It is the right sum.");
		await assertAccessible(phone, "an approval's page");
		await assertFits(phone, "an approval's page");
		await takePicture(phone, "approval-link-phone");
		await phone.getByRole("button", { name: "Approve" }).click();
		await phone.getByText("default/ana: approve", { exact: false }).waitFor();
		assert.match(JSON.stringify((await calling).result), /pay 100/);
		// Asking somebody to sign in is answered with 401, which browsers call an error.
		assert.deepEqual(
			troubles.filter((one) => !one.includes("401")),
			[],
		);
	});

	test("whatever else is refused is told, once, whatever ways in there are", here, async () => {
		await page.context().clearCookies();
		const door = await scene.browser.open(scene.gateway.url);
		const told = door.getByRole("alert");
		const tryKey = async (key: string) => {
			await door.getByLabel("Token or key").fill(key);
			await door.getByRole("button", { name: "Sign in" }).last().click();
		};
		await door.getByText("With an API key or token").click();
		await door.context().setOffline(true);
		await tryKey("a key");
		await told.getByText("The gateway does not answer.").waitFor();
		assert.equal(await told.count(), 1);
		await door.context().setOffline(false);

		const login = { accounts: false, federated: [partner] };
		assert.ok((await scene.gateway.reconfigure({ identity: { login }, servers: {} })).ok);
		await door.goto(`${scene.gateway.url}/#/link/of-no-use`);
		await door.reload();
		await door.getByRole("link", { name: "Continue with The Partner" }).waitFor();
		await told.getByText("This link was used already", { exact: false }).waitFor();
		await assertAccessible(door, "the door with a refusal");
		assert.equal(await door.getByLabel("Token or key").isVisible(), false);

		const keys = [{ name: "bo", hash: `sha256:${"0".repeat(64)}`, roles: ["auditor"] }];
		assert.ok((await scene.gateway.reconfigure({ identity: { keys }, servers: {} })).ok);
		await door.goto(scene.gateway.url);
		await door.reload();
		await tryKey("k".repeat(40 * 1024));
		await told.waitFor();
		assert.equal(await door.locator("[aria-invalid=true]").count(), 0);
		await tryKey("of nobody");
		await door.getByText("This token or key is not known here.", { exact: false }).waitFor();
		assert.equal(await told.count(), 0);
		assert.equal(await door.locator("[aria-invalid=true]").count(), 1);
		await door.close();
	});
});
