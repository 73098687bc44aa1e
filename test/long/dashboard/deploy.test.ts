import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { needs_chromium } from "../../support/browser.ts";
import { assertLooks, type DashboardScene, startDashboard } from "../../support/dashboard-scene.ts";
import { floatingServer } from "../../support/floating-server.ts";
import { type NpmRegistry, startNpmRegistry } from "../../support/npm-registry.ts";

const npm = ["/usr/bin/npm", "/usr/local/bin/npm"].some(existsSync);
const skip = needs_chromium !== false ? needs_chromium : npm ? false : "npm is not here";

describe("a package that is deployed from the page of its server", { skip }, () => {
	let registry: NpmRegistry;
	let scene: DashboardScene;
	let page: Page;
	let folder: string;
	const publish = (version: string, tools: readonly string[], broken = false) =>
		registry.publish("floating", version, { "main.mjs": floatingServer(version, tools, broken) });
	const lock = () => readFile(join(folder, "moorage.lock"), "utf8");
	const dialog = () => page.getByRole("dialog");
	const version = (number: number) =>
		page.locator("section.card", { has: page.getByRole("heading", { name: `Version ${number}` }) });
	const openDialog = async () => {
		await page.getByRole("button", { name: "Deploy", exact: true }).click();
		await dialog().waitFor();
	};

	before(async () => {
		folder = await mkdtemp(join(tmpdir(), "moorage-test-"));
		registry = await startNpmRegistry();
		publish("1.0.0", ["version", "old"]);
		scene = await startDashboard(
			{ servers: { one: { command: "npx -y floating" } } },
			{
				folder,
				environment: registry.environment(folder),
			},
		);
		({ page } = scene);
		await scene.visit("#/fleet", "Fleet");
		await page.getByRole("button", { name: "Wake one" }).click();
		await page.getByRole("article", { name: "one" }).getByText("Ready").waitFor();
		await scene.visit("#/servers/one/versions", "one");
		await version(1).getByText("floating@1.0.0", { exact: false }).waitFor();
	});
	after(async () => {
		await scene?.stop();
		await registry?.stop();
		await rm(folder, { recursive: true, force: true });
	});

	test("where there is nothing newer, that is said at the field", async () => {
		await openDialog();
		const what = dialog().getByLabel("Package or image");
		await what.selectOption("newest");
		await dialog().getByRole("button", { name: "See what changes" }).click();
		await dialog().locator("select[aria-invalid=true]").waitFor();
		await dialog().getByText("newest", { exact: false }).last().waitFor();
		// Another choice is another question.
		await what.selectOption("locked");
		assert.equal(await dialog().locator("[aria-invalid=true]").count(), 0);
		await dialog().getByRole("button", { name: "See what changes" }).click();
		await dialog().getByText("it offers what the one that runs offers", { exact: false }).waitFor();
		await page.keyboard.press("Escape");
		await dialog().waitFor({ state: "detached" });
	});

	test("what the newest would change is seen before anything is changed", async () => {
		publish("1.1.0", ["version", "new"]);
		const before = await lock();
		await openDialog();
		await dialog().getByLabel("Package or image").selectOption("newest");
		const see = dialog().getByRole("button", { name: "See what changes" });
		await see.focus();
		await page.keyboard.press("Enter");
		const preview = dialog().getByRole("region", { name: "What changes" });
		await preview.getByText("package floating 1.0.0 -> 1.1.0").waitFor();
		await preview.getByText('tool "old" was removed').waitFor();
		await preview.getByText('tool "new" was added').waitFor();
		await preview.getByText("may break clients", { exact: false }).waitFor();
		await preview.getByText("nothing is changed yet", { exact: false }).waitFor();
		await assertLooks(page, "deploy-preview");
		assert.equal(await lock(), before);
	});

	test("and then deployed from the same dialog, locked, and shown as what runs", async () => {
		await dialog().getByRole("button", { name: "Deploy", exact: true }).click();
		await page.getByText("takes all calls.", { exact: false }).waitFor();
		await dialog().waitFor({ state: "detached" });
		const runs = version(2);
		await runs.getByText("active").waitFor();
		await runs.getByText("floating@1.1.0", { exact: false }).waitFor();
		assert.match(await lock(), /"version": "1\.1\.0"/);
	});

	test("a newest that does not start changes nothing, and says why", async () => {
		publish("1.2.0", ["version"], true);
		const before = await lock();
		await openDialog();
		await dialog().getByLabel("Package or image").selectOption("newest");
		for (const name of ["See what changes", "Deploy"]) {
			await dialog().getByRole("button", { name, exact: true }).click();
			await dialog().getByRole("alert").waitFor();
			assert.equal(await dialog().getByRole("region", { name: "What changes" }).count(), 0);
		}
		await page.keyboard.press("Escape");
		await version(2).getByText("active").waitFor();
		assert.equal(await lock(), before);
		// Refusals are answers like any other; nothing else went wrong in the page.
		const refused = /409|422|502|503/;
		assert.deepEqual(
			scene.troubles.filter((one) => !refused.test(one)),
			[],
		);
	});
});
