import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { needs_chromium } from "../../support/browser.ts";
import {
	assertAccessible,
	assertFits,
	type DashboardScene,
	startDashboard,
	takePicture,
} from "../../support/dashboard-scene.ts";
import { stdioFixture } from "../../support/gateway.ts";

const here = { skip: needs_chromium };

describe("what has happened", () => {
	let scene: DashboardScene;
	let page: Page;

	before(async () => {
		if (needs_chromium !== false) return;
		scene = await startDashboard({
			servers: { echo: stdioFixture("echo"), crashing: stdioFixture("crashing") },
		});
		({ page } = scene);
	});
	after(() => scene?.stop());

	const call = async (server: string, tool: string, ends: string) => {
		await scene.visit("#/mine", "My connections");
		await scene.visit(`#/playground?server=${server}&tool=${tool}`, "Playground");
		await page.getByRole("button", { name: "Call it" }).click();
		await page.getByRole("region", { name: "Result" }).getByText(ends).waitFor();
	};

	test("an error is found in the history, and its story is told", here, async () => {
		await call("echo", "echo", "done in");
		await call("crashing", "crash", "failed in");
		await scene.visit("#/calls?status=error", "Calls");
		const table = page.getByRole("region", { name: "Calls" });
		await table.getByRole("link", { name: "crashing crash" }).waitFor();
		assert.equal(await table.getByRole("link", { name: "echo echo" }).count(), 0);
		await assertAccessible(page, "the history");
		await takePicture(page, "calls");
		await table.getByRole("link", { name: "crashing crash" }).click();
		await page.getByRole("heading", { level: 1, name: "crashing crash" }).waitFor();
		await page.getByRole("heading", { name: "Where the time went" }).waitFor();
		await assertAccessible(page, "a call's story");
		await page.setViewportSize({ width: 375, height: 812 });
		await assertFits(page, "a call's story");
		await takePicture(page, "call-phone");
		await page.setViewportSize({ width: 1440, height: 900 });
		assert.deepEqual(scene.troubles, []);
	});

	test("the audit is verified, and whoever may reads the payload of a call", here, async () => {
		await scene.visit("#/audit", "Audit");
		await page.getByRole("button", { name: "Verify it" }).click();
		await page.getByRole("heading", { name: "It is whole" }).waitFor();
		await assertAccessible(page, "a verified audit");
		await takePicture(page, "audit");
		await scene.visit("#/calls?server=echo", "Calls");
		await page.getByRole("link", { name: "echo echo" }).first().click();
		await page.getByRole("button", { name: "Read it" }).click();
		await page.locator("pre", { hasText: '"name":"echo"' }).first().waitFor();
	});

	test("the rules are asked whether somebody may, and why", here, async () => {
		await scene.visit("#/people/rules", "People and access");
		const tester = page.getByRole("region", { name: "Ask the rules" });
		await tester.getByLabel("Who").fill("acme/ana");
		await tester.getByLabel("Calls").selectOption("echo echo");
		await tester.getByRole("button", { name: "May they?" }).click();
		await tester.getByText("by arguments").waitFor();
		await tester.getByLabel("With the arguments").fill('{"text":"hello"}');
		await tester.getByRole("button", { name: "May they?" }).click();
		await tester.getByText("Yes", { exact: true }).waitFor();
		await assertAccessible(page, "an answer of the rules");
	});

	test("a person is added, gets a key, and is taken away again", here, async () => {
		await scene.visit("#/people", "People and access");
		await page.getByRole("button", { name: "Add a person" }).first().click();
		const dialog = page.getByRole("dialog");
		await dialog.getByLabel("User").fill("ana");
		await assertAccessible(page, "the dialog that adds a person");
		await dialog.getByRole("button", { name: "Add", exact: true }).click();
		const card = page.getByRole("region", { name: "default/ana" });
		await card.waitFor();
		await page.getByRole("link", { name: "API keys" }).click();
		await page.getByRole("button", { name: "Make a key" }).click();
		await dialog.getByLabel("Name").fill("ana-laptop");
		await dialog.getByLabel("User").fill("ana");
		await dialog.getByRole("button", { name: "Make it" }).click();
		await dialog.getByText("It is shown this once.", { exact: false }).waitFor();
		await dialog.getByRole("button", { name: "Done" }).click();
		await page.getByRole("cell", { name: "ana-laptop" }).waitFor();
		await page.getByRole("link", { name: "People", exact: true }).click();
		await card.getByRole("button", { name: "Remove" }).click();
		await dialog.getByText("Their keys are refused", { exact: false }).waitFor();
		await dialog.getByRole("button", { name: "Remove" }).click();
		await card.waitFor({ state: "detached" });
	});
});
