import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { hashApiKey, newApiKey } from "../../../src/identity/api-keys.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { needs_chromium } from "../../support/browser.ts";
import {
	assertAccessible,
	type DashboardScene,
	startDashboard,
	takePicture,
} from "../../support/dashboard-scene.ts";
import { stdioFixture } from "../../support/gateway.ts";

const here = { skip: needs_chromium };

describe("people with roles", () => {
	let scene: DashboardScene;
	let page: Page;
	const member_key = newApiKey(systemRandom);
	const auditor_key = newApiKey(systemRandom);

	before(async () => {
		if (needs_chromium !== false) return;
		scene = await startDashboard({
			servers: { echo: stdioFixture("echo") },
			identity: {
				keys: [
					{ name: "ana", hash: `sha256:${hashApiKey(member_key)}` },
					{ name: "bo", hash: `sha256:${hashApiKey(auditor_key)}`, roles: ["auditor"] },
				],
			},
		});
		({ page } = scene);
	});
	after(() => scene?.stop());

	const signIn = async (key: string) => {
		await page.getByLabel("Token or key").fill(key);
		await page.getByRole("button", { name: "Sign in" }).click();
		await page.locator("main h1").waitFor();
	};
	const listed = () =>
		page.getByRole("navigation", { name: "Pages" }).getByRole("link").allTextContents();

	test("with identity a start prints no link that signs in", here, () => {
		assert.ok(!scene.gateway.daemon.dashboardAddress().includes("link"));
	});

	test("a member sees what is theirs, and nothing of the fleet", here, async () => {
		await signIn(member_key);
		await page.getByRole("heading", { level: 1, name: "My connections" }).waitFor();
		assert.deepEqual(
			(await listed()).map((one) => one.trim()),
			["Approvals", "My connections"],
		);
		await page.getByRole("heading", { name: "My servers" }).waitFor();
		await page.getByRole("heading", { name: "echo" }).waitFor();
		await assertAccessible(page, "what a member sees");
		await takePicture(page, "member");
		await page.goto(`${scene.gateway.url}/#/fleet`);
		await page.getByText("There is no such page").waitFor();
	});

	test("an auditor sees the fleet, and why nothing can be changed", here, async () => {
		await page.getByRole("button", { name: "Sign out" }).click();
		await signIn(auditor_key);
		await page.goto(`${scene.gateway.url}/#/fleet`);
		const restart = page.getByRole("button", { name: "Restart echo" });
		await restart.waitFor();
		assert.equal(await restart.getAttribute("aria-disabled"), "true");
		assert.match((await restart.getAttribute("title")) ?? "", /needs the role admin or operator/);
		assert.equal(await page.getByRole("link", { name: "Add a server" }).count(), 0);
	});
});
