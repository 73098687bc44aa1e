import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { readAdminToken } from "../../../src/admin/token.ts";
import { needs_chromium } from "../../support/browser.ts";
import { type DashboardScene, startDashboard, takePicture } from "../../support/dashboard-scene.ts";
import { stdioFixture } from "../../support/gateway.ts";

/*
 * The pictures of the README, taken anew: `.tools/screenshots/readme-fleet.png` and
 * `readme-playground.png` belong into docs/pictures/ whenever these pages look otherwise.
 */

const here = { skip: needs_chromium };
/** Calls until the lines of the last minute have something to tell. */
const calls_wanted = 1_500;
/** How many call each at one time, and how many of a hundred calls of one of them fail. */
const traffic = { github: 2, memory: 3, billing: 1, search: 2, files: 1, time: 1 } as const;
const failing = 12;
/** A call takes between these, now less and now more, as those of real services do. */
const call_ms = [90, 360] as const;

describe("the pictures of the README", () => {
	let scene: DashboardScene;
	let page: Page;

	before(async () => {
		if (needs_chromium !== false) return;
		const slow = stdioFixture("slow");
		const names = Object.keys(traffic);
		scene = await startDashboard({
			servers: {
				...Object.fromEntries(names.map((name) => [name, slow])),
				calendar: stdioFixture("asking"),
				notion: { ...stdioFixture("echo"), idle: { freeze: "1s" } },
				crm: { command: "moorage-no-such-program" },
			},
		});
		({ page } = scene);
		await page.setViewportSize({ width: 1280, height: 800 });
		await page.emulateMedia({ colorScheme: "light" });
	});
	after(() => scene?.stop());

	test("the fleet, while its servers are called", here, async () => {
		await page.getByText("9 servers").waitFor();
		const token = await readAdminToken(scene.gateway.daemon.plan.data);
		assert.ok(token.ok);
		const headers = { authorization: `Bearer ${token.value}`, "content-type": "application/json" };
		const call = async (server: string, tool: string, body: object) => {
			const address = `${scene.gateway.url}/api/servers/${server}/tools/${tool}/call`;
			const init = { method: "POST", headers, body: JSON.stringify(body) };
			await (await fetch(address, init)).arrayBuffer();
		};
		let calls = 0;
		const caller = async (server: string, phase: number) => {
			for (let mine = 0; calls < calls_wanted; mine += 1) {
				calls += 1;
				const share = Math.abs(Math.sin(mine / 30 + phase));
				const ms = Math.round(call_ms[0] + share * (call_ms[1] - call_ms[0]));
				const wrong = server === "billing" && mine % 100 < failing;
				await call(server, wrong ? "refund" : "wait", { ms });
			}
		};
		const callers = Object.entries(traffic).flatMap(([name, count], at) =>
			Array.from({ length: count }, (_, turn) => caller(name, at + turn / 4)),
		);
		await Promise.all(callers);
		await page.getByRole("article", { name: "notion" }).getByText("Asleep").waitFor();
		await page.getByRole("article", { name: "crm" }).getByText("Failed").waitFor();
		await page
			.getByText(/^[1-9][\d.]*k? in the last minute/)
			.first()
			.waitFor();
		await takePicture(page, "readme-fleet");
	});

	test("a question in the middle of a call, answered by hand", here, async () => {
		await page.emulateMedia({ colorScheme: "dark" });
		await scene.visit("#/playground?server=calendar&tool=elicit", "Playground");
		await page.getByRole("button", { name: "Call it" }).click();
		const question = page.getByRole("alert", { name: "A question of the server" });
		await question.getByLabel("name").fill("Ana");
		await takePicture(page, "readme-playground");
		await question.getByRole("button", { name: "Accept" }).click();
		await page.getByRole("region", { name: "Result" }).getByText("“Ana”").waitFor();
		assert.deepEqual(scene.troubles, []);
	});
});
