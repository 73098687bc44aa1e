import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
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

/** Every page of the dashboard, and the heading that says where one is. */
const pages = [
	["#/fleet", "Fleet"],
	["#/servers/regions", "regions"],
	["#/servers/regions/logs", "regions"],
	["#/servers/regions/tools", "regions"],
	["#/servers/regions/instances", "regions"],
	["#/servers/regions/versions", "regions"],
	["#/servers/regions/settings", "regions"],
	["#/add", "Add a server"],
	["#/playground?server=regions", "Playground"],
	["#/approvals", "Approvals"],
	["#/calls", "Calls"],
	["#/people", "People and access"],
	["#/people/keys", "People and access"],
	["#/people/clients", "People and access"],
	["#/people/grants", "People and access"],
	["#/people/rules", "People and access"],
	["#/alerts", "Alerts"],
	["#/audit", "Audit"],
	["#/mine", "My connections"],
	["#/settings", "Configuration"],
	["#/health", "Health"],
] as const;

const looks = [
	["light", 1440],
	["dark", 1440],
	["light", 375],
	["dark", 375],
] as const;

describe("every page", () => {
	let scene: DashboardScene;

	before(async () => {
		if (needs_chromium !== false) return;
		scene = await startDashboard({
			servers: {
				regions: stdioFixture("regions"),
				asking: stdioFixture("asking"),
				missing: { command: "moorage-no-such-program" },
			},
		});
	});
	after(() => scene?.stop());

	for (const [theme, width] of looks) {
		for (const [fragment, heading] of pages) {
			const title = `${fragment} in ${theme}, ${width} pixels wide, fits and keeps nobody out`;
			test(title, here, async () => {
				const { page, troubles, visit } = scene;
				await page.setViewportSize({ width, height: width < 500 ? 812 : 900 });
				await page.emulateMedia({ colorScheme: theme });
				await visit(fragment, heading);
				await page.locator(".loading").waitFor({ state: "detached" });
				const name = `${fragment.replaceAll(/\W+/g, "-")}-${theme}-${width}`;
				await takePicture(page, name.replace(/^-/, ""));
				await assertAccessible(page, fragment);
				await assertFits(page, fragment);
				assert.deepEqual(troubles, []);
			});
		}
	}

	test("the whole dashboard loads in far less than 200 KB", here, async () => {
		const { page } = scene;
		await page.reload();
		const bytes = await page.evaluate<number>(
			`performance.getEntries().filter(({ name }) => name.includes("/assets/"))
				.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`,
		);
		assert.ok(bytes > 0 && bytes < 100 * 1024, `${bytes} bytes`);
	});

	test("it is of use within a second on a processor four times slower", here, async () => {
		const { page, gateway } = scene;
		const session = await page.context().newCDPSession(page);
		await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
		await page.goto(`${gateway.url}/#/fleet`);
		await page.reload();
		await page.getByRole("heading", { level: 1, name: "Fleet" }).waitFor();
		const ready_ms = await page.evaluate<number>(
			"performance.getEntriesByName('moorage-usable')[0].startTime",
		);
		await session.send("Emulation.setCPUThrottlingRate", { rate: 1 });
		assert.ok(ready_ms < 1_000, `${ready_ms} ms`);
	});
});
