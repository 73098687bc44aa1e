import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { readAdminToken } from "../../../src/admin/token.ts";
import { needs_chromium } from "../../support/browser.ts";
import { connectV1 } from "../../support/clients.ts";
import {
	assertAccessible,
	type DashboardScene,
	startDashboard,
} from "../../support/dashboard-scene.ts";
import { stdioFixture } from "../../support/gateway.ts";
import { eventually } from "../../support/processes.ts";

const here = { skip: needs_chromium };
const calls_count = 120;

describe("lists that are long, empty, or looked through", () => {
	let scene: DashboardScene;
	let page: Page;
	let headers: Record<string, string>;

	before(async () => {
		if (needs_chromium !== false) return;
		const { command, args } = stdioFixture("ledger");
		scene = await startDashboard({
			servers: {
				ledger: { command, args, tools: { frobnicate: { approval: "required" } } },
				echo: stdioFixture("echo"),
			},
		});
		({ page } = scene);
		const token = await readAdminToken(scene.gateway.daemon.plan.data);
		assert.ok(token.ok);
		headers = { authorization: `Bearer ${token.value}`, "content-type": "application/json" };
	});
	after(() => scene?.stop());

	const post = async (path: string, body: object) => {
		const init = { method: "POST", headers, body: JSON.stringify(body) };
		const response = await fetch(`${scene.gateway.url}${path}`, init);
		return { status: response.status, body: await response.text() };
	};
	const read = async (path: string) =>
		(await (await fetch(`${scene.gateway.url}${path}`, { headers })).json()) as Record<
			string,
			Record<string, unknown>[]
		>;

	test("an empty history says what comes here", here, async () => {
		await scene.visit("#/calls", "Calls");
		await page.getByRole("heading", { name: "No call is like that" }).waitFor();
		await page.getByText("appears here within a few seconds", { exact: false }).waitFor();
		await assertAccessible(page, "an empty history");
	});

	test("a long history is read a page at a time, and looked through", here, async () => {
		for (let at = 0; at < calls_count; at += 1) {
			await post("/api/servers/echo/tools/echo/call", { text: String(at) });
		}
		await post("/api/servers/ledger/tools/note/call", { text: "one of its own" });
		await page.reload();
		const table = page.getByRole("region", { name: "Calls" });
		await table.getByRole("link", { name: "echo echo" }).first().waitFor();
		const older = page.getByRole("button", { name: "Older calls" });
		await older.waitFor();
		const links = table.getByRole("link", { name: "echo echo" });
		const before_count = await links.count();
		assert.ok(before_count < calls_count, `${before_count} on the first page`);
		const rows = async () => {
			if (await older.isVisible()) await older.click();
			return links.count();
		};
		await eventually(rows, (count) => count === calls_count);
		await page.getByLabel("Tool", { exact: true }).fill("note");
		await table.getByRole("link", { name: "ledger note" }).waitFor();
		await eventually(
			() => links.count(),
			(count) => count === 0,
		);
		await page.getByLabel("Words").fill("nothing has these words");
		await page.getByRole("heading", { name: "No call is like that" }).waitFor();
	});

	test("tools are looked through, and none is told to be there that is not", here, async () => {
		await scene.visit("#/servers/ledger/tools", "ledger");
		await page.getByLabel("Find a tool").fill("refund");
		await page.getByRole("heading", { name: "refund" }).waitFor();
		assert.equal(await page.getByRole("heading", { name: "delete_entry" }).count(), 0);
		await page.getByLabel("Find a tool").fill("no such tool");
		await page.getByRole("heading", { name: "No tool is like that" }).waitFor();
	});

	test("what was decided is looked through, too", here, async () => {
		const pending = async () =>
			(await read("/api/approvals?state=pending"))["approvals"]?.map(({ id }) => String(id)) ?? [];
		for (const verdict of ["approve", "deny"]) {
			const waiting = post("/api/servers/ledger/tools/frobnicate/call", {});
			const [id = ""] = await eventually(pending, (ids) => ids.length === 1);
			const approval = await read(`/api/approvals/${id}`);
			const { arguments_hash } = approval;
			await post(`/api/approvals/${id}/decision`, { verdict, arguments_hash });
			await waiting;
		}
		await scene.visit("#/approvals", "Approvals");
		const decided = page.getByRole("region", { name: "Decided" });
		await decided.getByText("2 calls").waitFor();
		await decided.getByLabel("Find a decided call").fill("denied");
		await decided.getByText("1 of 2 calls").waitFor();
		await decided.getByLabel("Find a decided call").fill("no such call");
		await decided.getByText("None of 2 calls is like that.").waitFor();
		await assertAccessible(page, "what was decided");
	});

	test("sessions of clients are narrowed down to one person, or none", here, async () => {
		await connectV1(scene.gateway.address("echo"));
		await scene.visit("#/people/sessions", "People and access");
		const table = page.getByRole("region", { name: "Sessions of MCP clients" });
		await table.getByText("local").first().waitFor();
		await page.getByLabel("Whose", { exact: false }).fill("acme/nobody");
		await page.getByRole("heading", { name: "No session is like that" }).waitFor();
	});

	test("where nothing is wrong the page of alerts says so, and what is watched", here, async () => {
		await scene.visit("#/alerts", "Alerts");
		await page.getByRole("heading", { name: "All is well" }).waitFor();
	});

	test("my own servers are looked through by what they offer", here, async () => {
		await scene.visit("#/mine", "My connections");
		const mine = page.getByRole("region", { name: "My servers" });
		await mine.getByLabel("Find one of my servers").fill("refund");
		await mine.getByText("1 of 2 servers").waitFor();
		await mine.getByRole("heading", { name: "ledger" }).waitFor();
		assert.deepEqual(scene.troubles, []);
	});
});
