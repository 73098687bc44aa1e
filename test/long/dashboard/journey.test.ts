import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { buildDashboard } from "../../../tools/lib/dashboard.ts";
import { repository_root } from "../../../tools/lib/paths.ts";
import { needs_chromium, startBrowser } from "../../support/browser.ts";
import { takePicture, watchTroubles } from "../../support/dashboard-scene.ts";
import { fixturePath } from "../../support/fixtures.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";
import { startUp } from "../../support/up-process.ts";

const here = { skip: needs_chromium };

test(
	"a new user comes from the first start to the first call, with the keyboard alone",
	here,
	async (t) => {
		await buildDashboard(repository_root);
		const folder = await tempFolder(t);
		await writeFile(join(folder, "moorage.yaml"), "# Mine.\nversion: 1\nservers: {}\n");
		const up = startUp(t, ["moorage.yaml"], { cwd: folder });
		await until(() => up.stdout.includes("Dashboard:"));
		const link = /Dashboard: +(\S+)/.exec(up.stdout)?.[1] ?? "";
		assert.match(link, /\/#\/link\/[A-Za-z0-9_-]{43}$/);

		const browser = await startBrowser();
		t.after(() => browser.close());
		const page = await browser.open(link);
		const troubles = watchTroubles(page);
		const press = async (...keys: readonly string[]) => {
			for (const key of keys) await page.keyboard.press(key);
		};
		/** Goes on with Tab until what is focused has this name. */
		const tabTo = async (name: RegExp) => {
			for (let steps = 0; steps < 80; steps += 1) {
				await press("Tab");
				const focused = await page.evaluate<string>(
					`(() => { const one = document.activeElement;
					const label = one.labels?.[0]?.textContent ?? "";
					return [one.getAttribute("aria-label"), label, one.textContent].join(" "); })()`,
				);
				if (name.test(focused)) return;
			}
			assert.fail(`Tab never came to ${name}`);
		};

		const goTo = async (fragment: string, heading: string) => {
			await page.goto(`${new URL(page.url()).origin}/${fragment}`);
			await page.getByRole("heading", { level: 1, name: heading }).waitFor();
		};

		await page.getByRole("heading", { name: "No server yet" }).waitFor();
		assert.ok(!page.url().includes("link"), "the link stays in no history");
		await takePicture(page, "journey-empty");
		await tabTo(/^\s*Add the first server/);
		await press("Enter");
		await page.getByRole("heading", { level: 1, name: "Add a server" }).waitFor();
		await tabTo(/A command, an address/);
		await page.keyboard.insertText(`${process.execPath} ${fixturePath("echo")}`);
		await tabTo(/Look at it/);
		await press("Enter");
		await page.getByText("What will run on the gateway's machine").waitFor();
		await takePicture(page, "journey-what-runs");
		await tabTo(/^\s*Name/);
		assert.equal(await page.evaluate("document.activeElement.value"), "echo");
		await tabTo(/Add and run this/);
		await press("Enter");
		await page.getByRole("heading", { name: "echo is added" }).waitFor();
		await page.getByText("claude-code", { exact: false }).first().waitFor();
		await tabTo(/^\s*Try its tools/);
		await press("Enter");
		await page.getByRole("heading", { level: 1, name: "Playground" }).waitFor();
		await page.getByRole("button", { name: "Call it" }).waitFor();
		await tabTo(/^\s*text\s*$/);
		await page.keyboard.insertText("hello from a new user");
		await press("Enter");
		const result = page.getByRole("region", { name: "Result" });
		await result.getByText("hello from a new user").waitFor();
		await takePicture(page, "journey-first-call");

		await t.test("wants a person asked before that, and agrees on a phone", async () => {
			await goTo("#/settings", "Configuration");
			const editor = page.locator("textarea.editor");
			const text = await editor.inputValue();
			const crashing = `  crashing:\n    command: ${process.execPath} ${fixturePath("crashing")}\n`;
			const asking = text.replace(
				"  echo:\n",
				"  echo:\n    tools: { echo: { approval: required } }\n",
			);
			await editor.fill(asking.trimEnd() + `\n${crashing}`);
			await page.getByRole("button", { name: "Preview" }).click();
			await page.getByText("crashing is added and starts.").waitFor();
			await page.getByRole("button", { name: "Apply" }).click();
			await page.getByText("The configuration is applied.").waitFor();
			await goTo("#/playground?server=echo", "Playground");
			await page.getByLabel("text", { exact: true }).fill("pay 100");
			await page.getByRole("button", { name: "Call it" }).click();
			const phone = await browser.open(`${new URL(page.url()).origin}/#/approvals`);
			await phone.setViewportSize({ width: 375, height: 812 });
			const card = phone.getByRole("region", { name: "echo echo" });
			await card.getByText("“pay 100”").waitFor();
			await takePicture(phone, "journey-approval-phone");
			await card.getByLabel("Reason").fill("It is the right sum.");
			await card.getByRole("button", { name: "Approve" }).click();
			await phone.getByText("Approved.").waitFor();
			await phone.close();
			await page.getByRole("region", { name: "Result" }).getByText("pay 100").waitFor();
		});

		await t.test("finds what went wrong in the history of calls", async () => {
			await goTo("#/playground?server=crashing&tool=crash", "Playground");
			await page.getByRole("button", { name: "Call it" }).click();
			await page.getByRole("region", { name: "Result" }).getByText("failed in").waitFor();
			await goTo("#/calls", "Calls");
			await page.getByLabel("Ended").selectOption("error");
			const table = page.getByRole("region", { name: "Calls" });
			await table.getByRole("link", { name: "crashing crash" }).waitFor();
			assert.equal(await table.getByRole("link", { name: "echo echo" }).count(), 0);
			await takePicture(page, "journey-error-found");
			await table.getByRole("link", { name: "crashing crash" }).click();
			await page.getByRole("heading", { level: 1, name: "crashing crash" }).waitFor();
			await page.getByRole("heading", { name: "Where the time went" }).waitFor();
			await takePicture(page, "journey-error-story");
		});
		assert.deepEqual(troubles, []);

		const second = await browser.open(link);
		await second.getByText("This link was used already", { exact: false }).waitFor();
		await up.stop();
		await page.getByText("The gateway does not answer right now", { exact: false }).waitFor();
	},
);
