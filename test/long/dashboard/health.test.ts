import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import type { DoctorReport } from "../../../src/admin/contract.ts";
import type { ChecklistReport } from "../../../src/admin/contracts/policy.ts";
import { readAdminToken } from "../../../src/admin/token.ts";
import { needs_chromium } from "../../support/browser.ts";
import { assertLooks, type DashboardScene, startDashboard } from "../../support/dashboard-scene.ts";
import { stdioFixture } from "../../support/gateway.ts";

const here = { skip: needs_chromium };

describe("the health of an installation", () => {
	let scene: DashboardScene;
	let page: Page;

	before(async () => {
		if (needs_chromium !== false) return;
		scene = await startDashboard({ servers: { ledger: stdioFixture("ledger") } });
		({ page } = scene);
	});
	after(() => scene?.stop());

	const read = async <Value>(path: string): Promise<Value> => {
		const token = await readAdminToken(scene.gateway.daemon.plan.data);
		assert.ok(token.ok);
		const headers = { authorization: `Bearer ${token.value}` };
		return (await fetch(`${scene.gateway.url}${path}`, { headers })).json() as Value;
	};

	test(
		"everything that doctor and the checklist say is there, with its evidence",
		here,
		async () => {
			const doctor = await read<DoctorReport>("/api/doctor");
			const list = await read<ChecklistReport>("/api/checklist");
			await scene.visit("#/health", "Health");
			for (const { name } of doctor.checks) {
				await page.getByRole("heading", { level: 3, name, exact: true }).waitFor();
			}
			const section = page.getByRole("region", { name: "Launch checklist" });
			await section.locator("summary", { hasText: "The gateway" }).waitFor();
			const closed = section.locator("details:not([open]) > summary");
			while ((await closed.count()) > 0) await closed.first().press("Enter");
			const text = ((await section.textContent()) ?? "").replaceAll(/\s+/g, " ");
			for (const { title, evidence, next } of list.rows) {
				for (const said of [title, evidence, next ?? ""]) {
					assert.ok(text.includes(said.replaceAll(/\s+/g, " ")), said);
				}
			}
			await assertLooks(page, "health");
			assert.deepEqual(scene.troubles, []);
		},
	);
});
