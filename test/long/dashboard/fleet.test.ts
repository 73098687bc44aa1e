import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { CDPSession, Page } from "playwright-core";
import { readAdminToken } from "../../../src/admin/token.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { needs_chromium } from "../../support/browser.ts";
import { type DashboardScene, startDashboard, takePicture } from "../../support/dashboard-scene.ts";
import { type HttpFixture, startHttpFixture } from "../../support/fixtures.ts";

const here = { skip: needs_chromium };
const server_count = 300;
const calls_per_s = 1_000;
const measured_ms = 8_000;
/** The page may take this share of one core. */
const share_max = 0.3;

describe("a fleet of 300 servers that are called 1,000 times a second", () => {
	let scene: DashboardScene;
	let page: Page;
	let remote: HttpFixture;
	let session: CDPSession;
	const names = Array.from({ length: server_count }, (_, at) => `echo-${at}`);

	before(async () => {
		if (needs_chromium !== false) return;
		remote = await startHttpFixture("echo", ["--http"]);
		const entries = names.map((name) => [name, { url: remote.url }] as const);
		scene = await startDashboard({ servers: Object.fromEntries(entries) });
		({ page } = scene);
		session = await page.context().newCDPSession(page);
		await session.send("Performance.enable", { timeDomain: "threadTicks" });
	});
	after(async () => {
		await scene?.stop();
		await remote?.stop();
	});

	const metric = async (name: string) => {
		const { metrics } = await session.send("Performance.getMetrics");
		return metrics.find((one) => one.name === name)?.value ?? Number.NaN;
	};

	test(
		"it takes less than a third of a core to look at it, and shows the rates",
		here,
		async () => {
			await scene.visit("#/fleet", "Fleet");
			await page.getByText("300 servers").waitFor();
			const began = await metric("TaskDuration");
			const calls = await callAll(scene, names);
			const used_ms = (await metric("TaskDuration")) - began;
			const share = (used_ms * 1_000) / measured_ms;
			assert.ok(calls > 0);
			assert.ok(share < share_max, `${(share * 100).toFixed(0)}% of a core at ${calls} calls`);
			await takePicture(page, "fleet-300");
			await page
				.getByRole("img", { name: /^[1-9]\d* calls in the last minute/ })
				.first()
				.waitFor();
			await takePicture(page, "fleet-300");
		},
	);

	test("it scrolls smoothly", here, async () => {
		await scene.visit("#/fleet", "Fleet");
		const frames_ms = await page.evaluate<number[]>(
			`new Promise((resolve) => {
				let last = performance.now(); const frames = [];
				const step = (now) => {
					frames.push(now - last); last = now;
					window.scrollBy(0, 200);
					if (frames.length < 60) requestAnimationFrame(step); else resolve(frames);
				};
				requestAnimationFrame((now) => { last = now; step(now); });
			})`,
		);
		// The machine may be busy with something else now and then.
		const slow = frames_ms.filter((frame_ms) => frame_ms > 100);
		assert.ok(slow.length <= 3, `slow frames: ${slow.map(Math.round).join(", ")} ms`);
	});

	test("one is found among the others", here, async () => {
		await page.getByLabel("Find a server").fill("echo-299");
		await page.getByText("1 of 300 servers").waitFor();
		await page.getByRole("link", { name: "echo-299" }).waitFor();
	});
});

/** Calls the servers in turn, as often as there is time for, and says how often that was. */
async function callAll(scene: DashboardScene, names: readonly string[]): Promise<number> {
	const { gateway } = scene;
	const token = await readAdminToken(gateway.daemon.plan.data);
	assert.ok(token.ok);
	const headers = { authorization: `Bearer ${token.value}`, "content-type": "application/json" };
	const began_ms = systemClock.monotonic();
	let calls = 0;
	const one = async () => {
		while (systemClock.monotonic() - began_ms < measured_ms) {
			const due = ((systemClock.monotonic() - began_ms) / 1_000) * calls_per_s;
			if (calls >= due) {
				await new Promise((resolve) => setImmediate(resolve));
				continue;
			}
			const name = names[calls % names.length];
			calls += 1;
			const address = `${gateway.url}/api/servers/${name}/tools/echo/call`;
			const response = await fetch(address, { method: "POST", headers, body: '{"text":"x"}' });
			await response.arrayBuffer();
		}
	};
	await Promise.all(Array.from({ length: 16 }, one));
	return calls;
}
