import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { readAdminToken } from "../../../src/admin/token.ts";
import type { Alert } from "../../../src/alerts/state.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { needs_chromium } from "../../support/browser.ts";
import { assertLooks, type DashboardScene, startDashboard } from "../../support/dashboard-scene.ts";
import { stdioFixture } from "../../support/gateway.ts";
import { authorization, Browser, callback, password, pkce } from "../../support/login-scene.ts";
import { eventually } from "../../support/processes.ts";
import { openTestStore } from "../../support/test-store.ts";

const here = { skip: needs_chromium };
/** As many stand on a page at once. */
const page_size = 50;
const alerts_count = 60;
const grants_count = 53;

describe("lists of more than fits on a page", () => {
	let scene: DashboardScene;
	let page: Page;
	let folder: string;
	let headers: Record<string, string>;

	before(async () => {
		if (needs_chromium !== false) return;
		folder = await mkdtemp(join(tmpdir(), "moorage-test-"));
		await keepAlerts(join(folder, ".moorage", "moorage.db"));
		const config = { identity: { login: {} }, servers: { echo: stdioFixture("echo") } };
		scene = await startDashboard(config, { folder });
		({ page } = scene);
		const token = await readAdminToken(scene.gateway.daemon.plan.data);
		assert.ok(token.ok);
		headers = { authorization: `Bearer ${token.value}`, "content-type": "application/json" };
		await page.getByText("With an API key or token").click();
		await page.getByLabel("Token or key").fill(token.value);
		await page.getByRole("button", { name: "Sign in" }).last().click();
		await page.getByRole("heading", { level: 1, name: "Fleet" }).waitFor();
		// Nobody was signed in before.
		scene.troubles.length = 0;
	});
	after(async () => {
		await scene?.stop();
		if (folder !== undefined) await rm(folder, { recursive: true, force: true });
	});

	const post = async (path: string, body: object) => {
		const init = { method: "POST", headers, body: JSON.stringify(body) };
		const response = await fetch(`${scene.gateway.url}${path}`, init);
		assert.equal(response.status, 201, await response.text());
	};

	/** Lets as many clients act for one person as are wanted, as that person would. */
	const allowClients = async (count: number) => {
		const { url } = scene.gateway;
		await post("/api/users", { tenant: "acme", user: "ana", password });
		const browser = new Browser(url);
		for (let at = 0; at < count; at += 1) {
			const client_id = `client-${String(at).padStart(2, "0")}`;
			await post("/api/clients", { client_id, redirect_uris: [callback] });
			const { challenge } = pkce();
			const where = { issuer: url, resource: `${url}/mcp` };
			const asked = await browser.follow(authorization(where, challenge, { client_id }));
			const consent =
				at === 0 ? await browser.submit(asked, "login", { name: "ana", password }) : asked;
			const allowed = await browser.submit(consent, "consent");
			assert.ok(allowed.location?.searchParams.has("code"), allowed.text);
		}
	};

	test(
		"alerts that are over are read a page at a time, and found by their words",
		here,
		async () => {
			await scene.visit("#/alerts", "Alerts");
			const over = page.getByRole("region", { name: "Over" });
			await over.getByText(`${alerts_count} alerts`).waitFor();
			const items = over.getByRole("listitem");
			assert.equal(await items.count(), page_size);
			await assertLooks(page, "alerts-over");
			const left = alerts_count - page_size;
			await over.getByRole("button", { name: `Show more, ${left} are left` }).press("Enter");
			await eventually(
				() => items.count(),
				(count) => count === alerts_count,
			);
			const find = over.getByLabel("Find an alert");
			await find.fill("server_crashes files-7");
			await over.getByText(`1 of ${alerts_count} alerts`).waitFor();
			await over.getByText("files-7 ended 5 times.").waitFor();
			assert.equal(await items.count(), 1);
			await find.fill("no such alert");
			await over.getByText(`None of ${alerts_count} alerts is like that.`).waitFor();
			await find.fill("");
			await over.getByText(`${alerts_count} alerts`).waitFor();
			assert.equal(await items.count(), page_size, "a new search begins with the first page");
		},
	);

	test(
		"more than fifty grants are read a page at a time, found, and taken back",
		here,
		async () => {
			await scene.visit("#/people/grants", "People and access");
			await page.getByRole("heading", { name: "Nothing was allowed yet" }).waitFor();
			await allowClients(grants_count);
			await page.reload();
			await page.getByText(`${grants_count} grants`).waitFor();
			const cards = page.getByRole("region", { name: /^acme\/ana, / });
			assert.equal(await cards.count(), page_size);
			await assertLooks(page, "people-grants-many");
			await page
				.getByRole("button", { name: `Show more, ${grants_count - page_size} are left` })
				.press("Enter");
			await eventually(
				() => cards.count(),
				(count) => count === grants_count,
			);
			await page.getByLabel("Find a grant").fill("ana client-07");
			await page.getByText(`1 of ${grants_count} grants`).waitFor();
			await cards.getByRole("button", { name: "Take it back" }).click();
			const dialog = page.getByRole("dialog");
			await dialog.getByRole("button", { name: "Take it back" }).click();
			await page.getByText("That is taken back.").waitFor();
			await page.getByText(`None of ${grants_count - 1} grants is like that.`).waitFor();
			assert.deepEqual(scene.troubles, []);
		},
	);
});

/** Alerts as the run before left them: what was wrong, and is over. */
async function keepAlerts(path: string): Promise<void> {
	const { database, repositories } = await openTestStore(systemClock, path);
	const now_ms = systemClock.now();
	for (let at = 0; at < alerts_count; at += 1) {
		const alert: Alert = {
			id: `a-${at}`,
			rule: at % 2 === 0 ? "error_rate" : "server_crashes",
			subject: `files-${at}`,
			severity: "warning",
			state: "resolved",
			since_ms: now_ms - (at + 10) * 60_000,
			fired_at_ms: now_ms - (at + 9) * 60_000,
			resolved_at_ms: now_ms - at * 60_000,
			seen_at_ms: now_ms - (at + 1) * 60_000,
			value: 5,
			threshold: 3,
			summary: `files-${at} ended 5 times.`,
			told_at_ms: undefined,
			told: 0,
		};
		const { id, rule, subject, state, since_ms } = alert;
		const body = JSON.stringify(alert);
		await repositories.alerts.saveAlert({ id, rule, subject, state, since_ms, body });
	}
	await database.close();
}
