import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { needs_chromium } from "../../support/browser.ts";
import {
	assertAccessible,
	assertLooks,
	type DashboardScene,
	startDashboard,
} from "../../support/dashboard-scene.ts";
import { stdioFixture } from "../../support/gateway.ts";
import { eventually } from "../../support/processes.ts";

const here = { skip: needs_chromium };

describe("the settings of a server as a form", () => {
	let scene: DashboardScene;
	let page: Page;
	const { command, args } = stdioFixture("echo");
	const text = `# Ours.
version: 1
listen: 127.0.0.1:0
servers:
  # The one that answers.
  echo:
    command: ${[command, ...args].join(" ")} # by hand
    env:
      # A port, as a number.
      PORT: 8080
    tools:
      deny: [rm_*]
      "read_*": { risk: read }
      "write_*": { approval: required }
    sandbox: { mode: "off" }
    limits: { memory: 256MiB, processes: 64 }
    idle: { freeze: never }
# The end.
`;

	before(async () => {
		if (needs_chromium !== false) return;
		scene = await startDashboard({ servers: { echo: stdioFixture("echo") } });
		({ page } = scene);
		await writeFile(scene.gateway.config_path, text);
		assert.ok((await scene.gateway.daemon.reload()).ok);
	});
	after(() => scene?.stop());

	const fileText = () => readFile(scene.gateway.config_path, "utf8");
	const open = async () => {
		await scene.visit("#/mine", "My connections");
		await scene.visit("#/servers/echo/settings", "echo");
		await page.getByText("What runs").waitFor();
	};
	const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
	const group = (name: string) => page.locator("summary", { hasText: name }).click();

	test(
		"it has a field for everything of the entry, in both themes and on a phone",
		here,
		async () => {
			await open();
			assert.equal(await page.getByLabel("Value of PORT").inputValue(), "8080");
			for (const name of ["What it offers", "When it runs", "What it may use", "Versions"]) {
				await group(name);
			}
			assert.equal(await page.getByLabel("memory").inputValue(), "256MiB");
			await assertLooks(page, "settings-form");
			assert.deepEqual(scene.troubles, []);
		},
	);

	test("a change is shown before it is made, and comments stay", here, async () => {
		await open();
		await page.getByLabel("Value of PORT").fill("9090");
		await page.getByRole("button", { name: "Add to env" }).click();
		await page.getByLabel("Name", { exact: true }).nth(1).fill("LEVEL");
		await page.getByLabel("Value of LEVEL").fill("debug");
		await page.getByLabel("Value of LEVEL").press("Enter");
		await page.getByText("echo is started anew", { exact: false }).waitFor();
		await page.getByText("spec.env.LEVEL: added").waitFor();
		assert.equal(await fileText(), text, "a preview changes nothing");
		await press("Apply");
		await page.getByText("The settings are applied.").waitFor();
		const wanted = text.replace("PORT: 8080", 'PORT: "9090"\n      LEVEL: debug');
		assert.deepEqual((await fileText()).split("\n"), wanted.split("\n"));
	});

	test("what is wrong stands at its field, and what runs is left alone", here, async () => {
		await open();
		const before_text = await fileText();
		await group("What it may use");
		await page.getByLabel("memory").fill("a lot");
		await press("Preview");
		const wrong = page.locator('[aria-invalid="true"]');
		await wrong.waitFor();
		assert.equal(await wrong.inputValue(), "a lot");
		await page.locator(".field", { has: wrong }).locator(".error").waitFor();
		await assertAccessible(page, "a form with a mistake");
		assert.equal(await fileText(), before_text);
		await press("Discard");
		assert.equal(await page.getByLabel("memory").inputValue(), "256MiB");
		scene.troubles.length = 0;
	});

	test(
		"two people who change the same server are told, and neither loses a word",
		here,
		async () => {
			await open();
			await page.getByLabel("Value of PORT").fill("7070");
			const theirs = (await fileText()).replace("freeze: never", "freeze: 5s");
			await writeFile(scene.gateway.config_path, theirs);
			await press("Preview");
			const told = page.getByText("Somebody else changed the settings of echo", { exact: false });
			await told.waitFor();
			await page.getByText("meanwhile: idle", { exact: false }).waitFor();
			await assertAccessible(page, "a conflict");
			assert.equal(await fileText(), theirs);
			assert.equal(await page.getByLabel("Value of PORT").inputValue(), "7070");
			await press("Show theirs, and drop mine");
			assert.equal(await page.getByLabel("Value of PORT").inputValue(), "9090");
			await told.waitFor({ state: "detached" });
			scene.troubles.length = 0;
		},
	);

	test(
		"a change of another server meanwhile is kept, and nobody is stopped by it",
		here,
		async () => {
			await open();
			await page.getByLabel("Value of PORT").fill("6060");
			const other = `  other:\n    command: ${[command, ...args].join(" ")}\n`;
			await writeFile(
				scene.gateway.config_path,
				(await fileText()).replace("# The end.\n", `${other}# The end.\n`),
			);
			await press("Preview");
			await page.getByText("other is added and starts.").waitFor();
			await press("Apply");
			await page.getByText("The settings are applied.").waitFor();
			// An earlier message of the same words may still be there.
			const now = await eventually(fileText, (one) => one.includes('PORT: "6060"'));
			assert.ok(now.includes("  other:\n"), now);
			assert.deepEqual(scene.troubles, []);
		},
	);

	test("a number beyond what the browser holds keeps every digit", here, async () => {
		const long = "12345678901234567890";
		const text = (await fileText()).replace(
			"    tools:",
			`      ACCOUNT: ${long} # theirs\n    tools:`,
		);
		await writeFile(scene.gateway.config_path, text);
		assert.ok((await scene.gateway.daemon.reload()).ok);
		await open();
		assert.equal(await page.getByLabel("Value of ACCOUNT").inputValue(), long);
		await page.getByLabel("Value of PORT").fill("5050");
		await press("Preview");
		await page.getByText("echo is started anew", { exact: false }).waitFor();
		await press("Apply");
		const now = await eventually(fileText, (one) => one.includes('PORT: "5050"'));
		assert.ok(now.includes(`ACCOUNT: ${long} # theirs`), now);
		assert.deepEqual(scene.troubles, []);
	});

	test(
		"an entry that shares parts with others says so at once, and leads to the text",
		here,
		async () => {
			const before_text = await fileText();
			const shared = before_text.replace("    env:", "    env: &shared");
			await writeFile(scene.gateway.config_path, shared);
			assert.ok((await scene.gateway.daemon.reload()).ok);
			await scene.visit("#/mine", "My connections");
			await scene.visit("#/servers/echo/settings", "echo");
			await page
				.getByText("shares parts with others (anchors, aliases or merge keys)", { exact: false })
				.waitFor();
			assert.equal(await page.getByLabel("Value of PORT").count(), 0);
			await press("Change it in the text");
			assert.equal(await page.locator("textarea.editor").inputValue(), shared);
			await writeFile(scene.gateway.config_path, before_text);
			assert.ok((await scene.gateway.daemon.reload()).ok);
		},
	);

	test("the text of the file is there for whoever prefers it", here, async () => {
		await open();
		await press("As the text of the file");
		// What the page saw before is shown until it is read again.
		const text = await fileText();
		await eventually(
			() => page.locator("textarea.editor").inputValue(),
			(shown) => shown === text,
		);
	});
});
