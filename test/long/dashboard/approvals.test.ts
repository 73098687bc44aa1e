import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { readAdminToken } from "../../../src/admin/token.ts";
import { needs_chromium } from "../../support/browser.ts";
import {
	assertAccessible,
	assertFits,
	assertLooks,
	type DashboardScene,
	startDashboard,
	takePicture,
} from "../../support/dashboard-scene.ts";
import { stdioFixture } from "../../support/gateway.ts";

const here = { skip: needs_chromium };

describe("calls that wait for a person", () => {
	let scene: DashboardScene;
	let page: Page;

	const echo = { ...stdioFixture("echo"), tools: { echo: { approval: "required" } } };
	const ledger = stdioFixture("ledger");

	before(async () => {
		if (needs_chromium !== false) return;
		scene = await startDashboard({ servers: { echo } });
		({ page } = scene);
	});
	after(() => scene?.stop());

	const call = async (text: string, of = "echo/tools/echo") => {
		const token = await readAdminToken(scene.gateway.daemon.plan.data);
		assert.ok(token.ok);
		const response = await fetch(`${scene.gateway.url}/api/servers/${of}/call`, {
			method: "POST",
			headers: { authorization: `Bearer ${token.value}`, "content-type": "application/json" },
			body: JSON.stringify({ text }),
		});
		return { status: response.status, text: await response.text() };
	};

	test(
		"an approval is given on a phone, with the exact arguments before one's eyes",
		here,
		async () => {
			await page.setViewportSize({ width: 375, height: 812 });
			await scene.visit("#/approvals", "Approvals");
			await page.getByRole("heading", { name: "Nothing waits" }).waitFor();
			const parked = call("pay 100");
			// It comes by itself, while somebody looks.
			const card = page.getByRole("region", { name: "echo echo" });
			await card.getByText("“pay 100”").waitFor();
			await assertAccessible(page, "a call that waits");
			await assertFits(page, "a call that waits");
			await takePicture(page, "approval-phone");
			await card.getByLabel("Reason").fill("It is the right sum.");
			await card.getByRole("button", { name: "Approve" }).click();
			await page.getByText("Approved.").waitFor();
			const allowed = await parked;
			assert.equal(allowed.status, 200);
			assert.match(allowed.text, /pay 100/);
			assert.deepEqual(scene.troubles, []);
		},
	);

	test("a call that is denied does not run, and its caller hears why", here, async () => {
		const parked = call("pay 900");
		await scene.visit("#/approvals", "Approvals");
		const card = page.getByRole("region", { name: "echo echo" });
		await card.getByText("“pay 900”").waitFor();
		await card.getByLabel("Reason").fill("Far too much.");
		await card.getByRole("button", { name: "Deny" }).click();
		await page.getByText("Denied.").waitFor();
		const denied = await parked;
		assert.equal(denied.status, 403);
		assert.match(denied.text, /Far too much/);
	});

	test(
		"a tool is asked about from the page of its server on, in the file behind it",
		here,
		async () => {
			await page.setViewportSize({ width: 1440, height: 900 });
			await scene.gateway.reconfigure({});
			const comment = "# Which tools wait is for us to say.";
			await writeFile(
				scene.gateway.config_path,
				[
					...["version: 1", "listen: 127.0.0.1:0", "servers:", comment, "  ledger:"],
					...[`    command: ${[ledger.command, ...ledger.args].join(" ")}`, "    tools:"],
					...["      deny: [hold]", "      note: { risk: read } # only a note", ""],
				].join("\n"),
			);
			assert.ok((await scene.gateway.daemon.reload()).ok);
			await scene.visit("#/fleet", "Fleet");
			await page.getByRole("article", { name: "ledger" }).getByText("Ready").waitFor();
			await scene.visit("#/servers/ledger/access", "ledger");
			for (const tool of ["note", "refund"]) {
				const card = page.getByRole("region", { name: `Who may call ${tool}` });
				await card.getByRole("button", { name: `Ask first before ${tool}` }).press("Enter");
				const dialog = page.getByRole("dialog");
				await dialog.getByText("exact arguments", { exact: false }).waitFor();
				if (tool === "note") await assertLooks(page, "ask-first");
				await dialog.getByRole("button", { name: "Ask first" }).click();
				await page.getByText(`A person is asked before ${tool} is called.`).waitFor();
				await card.getByText("a person is asked", { exact: true }).waitFor();
				assert.equal(await card.getByRole("button", { name: "Ask first" }).count(), 0);
			}
			const text = await readFile(scene.gateway.config_path, "utf8");
			for (const kept of [comment, "# only a note", "deny:"]) assert.ok(text.includes(kept), text);
			assert.match(text, /note: \{ risk: read, approval: required \} # only a note/);
			const parked = call("a note", "ledger/tools/note");
			await scene.visit("#/approvals", "Approvals");
			const waiting = page.getByRole("region", { name: "ledger note" });
			await waiting.getByRole("button", { name: "Approve" }).click();
			assert.equal((await parked).status, 200);
			await scene.gateway.reconfigure({ servers: { echo } });
		},
	);

	test("a server is switched off and on where it stands, with a reason", here, async () => {
		await page.setViewportSize({ width: 1440, height: 900 });
		await scene.visit("#/fleet", "Fleet");
		await page.getByRole("button", { name: "Switch off echo" }).click();
		const dialog = page.getByRole("dialog");
		await dialog.getByLabel("Reason").fill("It behaves oddly.");
		await assertAccessible(page, "the dialog of the kill switch");
		await dialog.getByRole("button", { name: "Switch off" }).click();
		await page.getByText("server:echo").waitFor();
		const row = page.getByRole("article", { name: "echo" });
		await row.getByText("Switched off", { exact: true }).waitFor();
		assert.equal(
			await row.getByRole("button", { name: "Switch off echo" }).getAttribute("title"),
			"It is switched off already.",
		);
		await scene.visit("#/servers/echo", "echo");
		await page.getByRole("region", { name: "What is switched off" }).waitFor();
		await assertLooks(page, "server-off");
		await scene.visit("#/fleet", "Fleet");
		assert.match((await call("x")).text, /switched_off/);
		await page.getByRole("button", { name: "Switch on" }).click();
		await page.getByText("server:echo is switched on again.").waitFor();
		await row.getByText("Ready").waitFor();
	});
});
