import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { hashApiKey, newApiKey } from "../../../src/identity/api-keys.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { needs_chromium } from "../../support/browser.ts";
import {
	assertAccessible,
	assertLooks,
	type DashboardScene,
	startDashboard,
} from "../../support/dashboard-scene.ts";
import { stdioFixture } from "../../support/gateway.ts";

const here = { skip: needs_chromium };
const value = "a-value-that-nobody-sees";

describe("one server", () => {
	let scene: DashboardScene;
	let page: Page;
	const auditor_key = newApiKey(systemRandom);
	const admin_key = newApiKey(systemRandom);

	before(async () => {
		if (needs_chromium !== false) return;
		const keys = [
			{ name: "bo", hash: `sha256:${hashApiKey(auditor_key)}`, roles: ["auditor"] },
			{ name: "ada", hash: `sha256:${hashApiKey(admin_key)}`, roles: ["admin"] },
		];
		const when = "'auditor' in principal.roles";
		scene = await startDashboard({
			servers: {
				ledger: { ...stdioFixture("ledger"), scope: "shared" },
				sealed: {
					...stdioFixture("secretive"),
					env: { SECRETS: "TOKEN", TOKEN: "${secret:sealed_token}" },
					scope: "shared",
				},
			},
			identity: { keys },
			policy: [
				{ name: "auditors note", tool: "ledger__note", when, else: "deny" },
				{ name: "small refunds", tool: "ledger__refund", when: "args.amount <= 100", else: "deny" },
			],
		});
		({ page } = scene);
		await signIn(admin_key);
	});
	after(() => scene?.stop());

	const signIn = async (key: string) => {
		await page.getByLabel("Token or key").fill(key);
		await page.getByRole("button", { name: "Sign in" }).click();
		await page.locator("main h1").waitFor();
	};
	const looks = (name: string) =>
		assertLooks(page, name, [
			["light", 1440],
			["dark", 375],
		]);

	test(
		"a value that is missing is said so, stored from the page, and shown nowhere",
		here,
		async () => {
			await scene.visit("#/servers/sealed/secrets", "sealed");
			const card = page.getByRole("region", { name: "Value sealed_token" });
			await card.getByText("missing", { exact: true }).waitFor();
			await card.getByText("as env TOKEN", { exact: false }).waitFor();
			await card.getByRole("button", { name: "Set the value" }).press("Enter");
			const dialog = page.getByRole("dialog");
			await dialog.getByLabel("New value").fill("x");
			await dialog.getByRole("button", { name: "Store it" }).click();
			await dialog.locator("textarea[aria-invalid=true]").waitFor();
			await assertAccessible(page, "the dialog of a value");
			await dialog.getByLabel("New value").fill(value);
			await dialog.getByRole("button", { name: "Store it" }).click();
			await card.getByText("there", { exact: true }).waitFor();
			await card.getByText("For everybody", { exact: false }).waitFor();
			assert.ok(!(await page.content()).includes(value));
			await looks("server-secrets");
		},
	);

	test("of two people who store the same value the second is told", here, async () => {
		const card = page.getByRole("region", { name: "Value sealed_token" });
		await card.getByRole("button", { name: "Replace the value" }).click();
		const dialog = page.getByRole("dialog");
		await dialog.getByLabel("New value").fill("mine-and-not-theirs");
		const stored = await fetch(`${scene.gateway.url}/api/secrets/sealed_token`, {
			method: "PUT",
			headers: { authorization: `Bearer ${admin_key}`, "content-type": "application/json" },
			body: JSON.stringify({ value: "theirs-and-not-mine" }),
		});
		assert.equal(stored.status, 200);
		await dialog.getByRole("button", { name: "Store it" }).click();
		await dialog.getByText("Nothing of yours is stored.", { exact: false }).waitFor();
		await assertAccessible(page, "a value that somebody else stored");
		await dialog.getByRole("button", { name: "Store mine in its place" }).click();
		await dialog.waitFor({ state: "detached" });
		scene.troubles.length = 0;
	});

	test(
		"the rules about a tool are shown, with who may call it and what depends",
		here,
		async () => {
			await scene.visit("#/fleet", "Fleet");
			await page.getByRole("button", { name: "Wake ledger" }).click();
			await page.getByRole("article", { name: "ledger" }).getByText("Ready").waitFor();
			await scene.visit("#/servers/ledger/access", "ledger");
			const note = page.getByRole("region", { name: "Who may call note" });
			await note.getByText("auditors note").waitFor();
			await note.getByRole("button", { name: "Who may call it? note" }).click();
			const row = (name: string) => page.getByRole("row", { name });
			await row("the key bo").getByText("Yes", { exact: true }).waitFor();
			await row("Somebody without a role").getByText("No", { exact: true }).waitFor();
			const refund = page.getByRole("region", { name: "Who may call refund" });
			await refund.getByRole("button", { name: "Who may call it? refund" }).press("Enter");
			await row("the key bo").getByText("It depends").waitFor();
			const focused = await page.evaluate("document.activeElement.textContent");
			assert.equal(focused, "Who may call it? refund");
			await row("the key bo").getByText("looks at the arguments", { exact: false }).waitFor();
			await looks("server-access");
			const refused = /401|422/;
			assert.deepEqual(
				scene.troubles.filter((one) => !refused.test(one)),
				[],
			);
		},
	);

	test("a call made as somebody else goes as far as theirs would", here, async () => {
		const callAs = async (who: string) => {
			await scene.visit("#/mine", "My connections");
			await scene.visit("#/playground?server=ledger&tool=note", "Playground");
			await page.getByLabel("text", { exact: false }).first().fill("hello");
			await page.getByLabel("As whom", { exact: false }).fill(who);
			await page.getByRole("button", { name: "Call it" }).click();
			return page.getByRole("region", { name: "Result" });
		};
		await (await callAs("default/bo")).getByText("did note").waitFor();
		const options = page.locator("#known-people option");
		const known = await options.evaluateAll((all) => all.map((one) => one.getAttribute("value")));
		assert.deepEqual(known.toSorted(), ["default/ada", "default/bo"]);
		await (await callAs("default/ivan")).getByText("auditors note", { exact: false }).waitFor();
		await assertAccessible(page, "a call as somebody else");
	});

	test("an auditor sees the same, and why no value can be set", here, async () => {
		await page.getByRole("button", { name: "Sign out" }).click();
		await signIn(auditor_key);
		await scene.visit("#/servers/sealed/secrets", "sealed");
		const button = page.getByRole("button", { name: "Replace the value of sealed_token" });
		await button.waitFor();
		assert.equal(await button.getAttribute("aria-disabled"), "true");
		assert.match((await button.getAttribute("title")) ?? "", /needs the role admin or operator/);
	});
});
