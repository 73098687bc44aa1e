import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { needs_chromium } from "../../support/browser.ts";
import { type DashboardScene, startDashboard } from "../../support/dashboard-scene.ts";
import { stdioFixture } from "../../support/gateway.ts";

const here = { skip: needs_chromium };

describe("what a hostile server says", () => {
	let scene: DashboardScene;
	let page: Page;

	before(async () => {
		if (needs_chromium !== false) return;
		scene = await startDashboard({ servers: { showy: stdioFixture("showy") } });
		({ page } = scene);
	});
	after(() => scene?.stop());

	const call = async (tool: string) => {
		const query = new URLSearchParams({ server: "showy", tool }).toString();
		await scene.visit(`#/playground?${query}`, "Playground");
		await page.getByRole("button", { name: "Call it" }).click();
		await page.getByRole("region", { name: "Result" }).getByText("done in").waitFor();
	};
	const isOwned = () => page.evaluate("window.owned === 1");

	test("markup in names, descriptions, schemas and results stays text", here, async () => {
		await scene.visit("#/servers/showy/tools", "showy");
		await page.getByText("onerror", { exact: false }).first().waitFor();
		await call("markup");
		await page.locator("pre", { hasText: "<script>window.owned=1</script>" }).first().waitFor();
		assert.equal(await page.locator("main img, main script").count(), 0);
		assert.equal(await isOwned(), false);
		assert.deepEqual(scene.troubles, []);
	});

	test(
		"signs that turn writing around or hide are made visible, links are none",
		here,
		async () => {
			await scene.visit("#/servers/showy/tools", "showy");
			await page.getByText("safe\uFFFDelif_eteled", { exact: false }).first().waitFor();
			const text = (await page.locator("main").textContent()) ?? "";
			assert.doesNotMatch(text, /[\u202A-\u202E\u2066-\u2069\u200B]/);
			assert.equal(await page.locator('a[href^="javascript"]').count(), 0);
		},
	);

	test("five megabytes are shown in part, and the page goes on", here, async () => {
		await call("large");
		await page.getByText("This text has 5000000 characters", { exact: false }).waitFor();
		const shown = await page.evaluate<number>("document.querySelector('main').textContent.length");
		assert.ok(shown < 1_000_000, String(shown));
		await page.getByRole("link", { name: "Fleet" }).first().click();
		await page.getByRole("heading", { level: 1, name: "Fleet" }).waitFor();
	});

	test("an app reaches neither cookies, nor the API, nor the page around it", here, async () => {
		await call("app");
		await page.getByRole("button", { name: "Show the app of this tool" }).click();
		const frame = page.frameLocator("iframe.app-frame");
		const text = await frame.locator("#told", { hasText: "api" }).textContent();
		assert.deepEqual(JSON.parse(text ?? "{}"), {
			cookie: "refused",
			storage: "refused",
			parent: "refused",
			top: "refused",
			api: "refused",
		});
		await page.getByText("It may not reach https://169.254.169.254.").waitFor();
		await page.getByText("It may not reach http://127.0.0.1.").waitFor();
	});

	test("an app is shown the result, and calls only what the person allows", here, async () => {
		const frame = page.frameLocator("iframe.app-frame");
		await frame.locator("#result", { hasText: "for the app" }).waitFor();
		await page.getByText("The app wants to call", { exact: false }).waitFor();
		const decline = page.getByRole("button", { name: "Decline" });
		await decline.click();
		await decline.waitFor({ state: "detached" });
	});

	test("the address of an app opened by itself is shut in as well", here, async () => {
		const path = await page.locator("iframe.app-frame").getAttribute("src");
		const alone = await scene.browser.open(`${scene.gateway.url}${path}`);
		const text = await alone.locator("#told", { hasText: "api" }).textContent();
		const told = JSON.parse(text ?? "{}") as Record<string, string>;
		assert.deepEqual(
			[told["cookie"], told["storage"], told["api"]],
			["refused", "refused", "refused"],
		);
		await alone.close();
	});
});
