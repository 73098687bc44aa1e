import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { readAdminToken } from "../../../src/admin/token.ts";
import { needs_chromium } from "../../support/browser.ts";
import { type DashboardScene, startDashboard } from "../../support/dashboard-scene.ts";
import { stdioFixture } from "../../support/gateway.ts";

const here = { skip: needs_chromium };

describe("changing things", () => {
	let scene: DashboardScene;
	let page: Page;

	before(async () => {
		if (needs_chromium !== false) return;
		scene = await startDashboard({ servers: { echo: stdioFixture("echo") } });
		({ page } = scene);
	});
	after(() => scene?.stop());

	const editor = () => page.locator("textarea.editor");
	const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
	const fileText = () => readFile(scene.gateway.config_path, "utf8");
	const write = (text: string) => writeFile(scene.gateway.config_path, text);

	test("a change is shown before it is made, and comments stay", here, async () => {
		const { command, args } = stdioFixture("echo");
		const entry = `    command: ${[command, ...args].join(" ")}\n`;
		await write(`# Ours.\nversion: 1\nlisten: 127.0.0.1:0\nservers:\n  echo:\n${entry}`);
		await scene.visit("#/servers/echo/settings", "echo");
		await press("As the text of the file");
		const text = `${await fileText()}  second: # A copy.\n${entry}`;
		await editor().fill(text);
		await press("Preview");
		await page.getByText("second is added and starts.").waitFor();
		assert.ok(!(await fileText()).includes("second"), "a preview changes nothing");
		await press("Apply");
		await page.getByText("The configuration is applied.").waitFor();
		assert.equal(await fileText(), text);
		await scene.visit("#/fleet", "Fleet");
		await page.getByRole("link", { name: "second" }).waitFor();
	});

	test("a mistake is told with its line, and what runs is left alone", here, async () => {
		await scene.visit("#/settings", "Configuration");
		const before = await fileText();
		await editor().fill(`${before}  third:\n    comand: x\n`);
		await press("Preview");
		const lines = before.split("\n").length + 1;
		await page.getByText(`Line ${lines}:`, { exact: false }).first().waitFor();
		assert.equal(await editor().getAttribute("aria-invalid"), "true");
		assert.equal(await fileText(), before);
		await press("Discard");
	});

	test("two people who edit the same file are told, and neither loses a word", here, async () => {
		await scene.visit("#/settings", "Configuration");
		await page.reload();
		await editor().waitFor();
		const mine = `${await fileText()}# Mine.\n`;
		await editor().fill(mine);
		await press("Preview");
		await page.getByText("No server changes.").waitFor();
		const theirs = `${await fileText()}# Theirs.\n`;
		await write(theirs);
		await press("Apply");
		await page.getByText("Somebody else changed the file.", { exact: false }).waitFor();
		assert.equal(await fileText(), theirs);
		assert.equal(await editor().inputValue(), mine);
		await press("Read the file as it is now");
		await page.getByText("Somebody else changed the file.").waitFor({ state: "detached" });
		assert.equal(await editor().inputValue(), theirs);
	});

	test("a session that ends keeps what was typed, behind the door", here, async () => {
		await scene.visit("#/add", "Add a server");
		const pasted = page.getByLabel("A command, an address", { exact: false });
		await pasted.fill("npx -y something");
		const { gateway } = scene;
		const token = await readAdminToken(gateway.daemon.plan.data);
		assert.ok(token.ok);
		const headers = { authorization: `Bearer ${token.value}` };
		const listed = await fetch(`${gateway.url}/api/sessions`, { headers });
		const { sessions } = (await listed.json()) as { sessions: { id: string }[] };
		for (const { id } of sessions) {
			await fetch(`${gateway.url}/api/sessions/${id}`, { method: "DELETE", headers });
		}
		await page.getByRole("button", { name: "Look at it" }).click();
		await page.getByText("Your session has ended.", { exact: false }).waitFor();
		await page.getByLabel("Token or key").fill("not-a-token");
		await press("Sign in");
		await page.getByText("not known here", { exact: false }).waitFor();
		await page.getByLabel("Token or key").fill(token.value);
		await press("Sign in");
		await page.getByRole("heading", { level: 1, name: "Add a server" }).waitFor();
		assert.equal(await pasted.inputValue(), "npx -y something");
	});

	test("a server is put to sleep, woken and restarted where it stands", here, async () => {
		await scene.visit("#/fleet", "Fleet");
		const row = page.getByRole("article", { name: "echo" });
		await row.getByText("Ready").waitFor();
		await row.getByRole("button", { name: "Freeze echo" }).click();
		await row.getByText("Asleep").waitFor();
		await row.getByRole("button", { name: "Wake echo" }).click();
		await row.getByText("Ready").waitFor();
		await row.getByRole("button", { name: "Restart echo" }).click();
		await page.getByText("What is in its memory alone is lost", { exact: false }).waitFor();
		await page.getByRole("button", { name: "Restart", exact: true }).click();
		await page.getByText("echo was started anew.").waitFor();
	});

	test("lines of a server are followed and searched as they are written", here, async () => {
		await scene.visit("#/servers/echo/logs", "echo");
		await page.locator(".log p", { hasText: "ready" }).first().waitFor();
		await page.getByLabel("Find in the lines").fill("restart asked");
		await page.locator(".log mark", { hasText: "restart asked" }).first().waitFor();
	});

	test("a server is removed only after its person has read what that does", here, async () => {
		await scene.visit("#/servers/second/settings", "second");
		await page.getByRole("button", { name: "Remove", exact: true }).click();
		const dialog = page.getByRole("dialog");
		await dialog.getByText("Its volume stays on the disk", { exact: false }).waitFor();
		await page.keyboard.press("Escape");
		await dialog.waitFor({ state: "detached" });
		assert.ok((await fileText()).includes("second"));
		await page.getByRole("button", { name: "Remove", exact: true }).click();
		await dialog.getByRole("button", { name: "Remove" }).click();
		await page.getByText("second is removed.").waitFor();
		assert.ok(!(await fileText()).includes("second"));
	});
});
