import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { repository_root } from "../../../tools/lib/paths.ts";
import { needs_chromium, startBrowser } from "../../support/browser.ts";
import {
	assertAccessible,
	assertFits,
	takePicture,
	watchTroubles,
} from "../../support/dashboard-scene.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

const here = { skip: needs_chromium };
/** Packages come from the registries, on a connection that may be slow. */
const install_ms_max = 300_000;

/** What a clone has, without what is installed into it. */
const cloned = [
	...["bin", "docs", "examples", "src", "tools"],
	...["package.json", "package-lock.json", "tsconfig.json"],
];

test(
	"from `npm start` in a fresh clone to a first call, an approval on a phone, and an error found",
	here,
	async (t) => {
		const clone = await tempFolder(t);
		for (const name of cloned) {
			await cp(join(repository_root, name), join(clone, name), {
				recursive: true,
				filter: (path) => !path.includes(".moorage"),
			});
		}
		await symlink(join(repository_root, "node_modules"), join(clone, "node_modules"));
		// What `npm start` runs, on a port of its own.
		const args = ["tools/run.mjs", "start", "--listen", "127.0.0.1:0"];
		const environment = { ...process.env, MOORAGE_NODE: process.execPath };
		const child = spawn(process.execPath, args, { cwd: clone, env: environment });
		const exited = once(child, "close");
		t.after(async () => {
			child.kill("SIGTERM");
			await exited;
		});
		let printed = "";
		for (const stream of [child.stdout, child.stderr]) {
			stream.on("data", (chunk: Buffer) => {
				printed += chunk.toString();
			});
		}
		await until(() => printed.includes("Dashboard:") || child.exitCode !== null);
		const link = /Dashboard: +(\S+)/.exec(printed)?.[1];
		assert.ok(link !== undefined, printed);
		if (printed.includes("install_failed") && process.env["CI"] !== "true") {
			return t.skip("packages cannot be installed here");
		}

		const browser = await startBrowser();
		t.after(() => browser.close());
		const page = await browser.open(link);
		const troubles = watchTroubles(page);
		await page.getByRole("heading", { level: 1, name: "Fleet" }).waitFor();
		for (const name of ["everything", "filesystem"]) {
			const row = page.getByRole("article", { name });
			await row.getByText("Ready").waitFor({ timeout: install_ms_max });
		}
		await takePicture(page, "npm-start-fleet");

		await page.getByRole("link", { name: "Playground" }).click();
		await page.getByRole("button", { name: "Call it" }).waitFor();
		await page.getByLabel("Find").fill("echo");
		await page
			.getByRole("region", { name: "What can be called" })
			.getByRole("button")
			.first()
			.click();
		await page.getByLabel("message").fill("ahoy");
		await page.getByRole("button", { name: "Call it" }).click();
		const result = page.getByRole("region", { name: "Result" });
		await result.getByText("ahoy", { exact: false }).first().waitFor();
		await takePicture(page, "npm-start-first-call");

		// Another device: a browser of its own, signed in by a link that the page gives.
		await page.getByRole("link", { name: "My connections" }).click();
		await page.getByRole("button", { name: "Make a link" }).click();
		const device_link = page.getByText("/#/link/", { exact: false });
		const device = await startBrowser();
		t.after(() => device.close());
		const phone = await device.open((await device_link.textContent()) ?? "");
		const phone_troubles = watchTroubles(phone);
		await phone.setViewportSize({ width: 375, height: 812 });
		await phone.getByRole("button", { name: "Open the menu" }).click();
		await phone.getByRole("link", { name: "Approvals" }).click();
		await phone.getByRole("heading", { name: "Nothing waits" }).waitFor();

		await page.getByRole("link", { name: "Playground" }).click();
		await page.getByLabel("Server").selectOption("filesystem");
		await page.getByLabel("Find").fill("write_file");
		await page
			.getByRole("region", { name: "What can be called" })
			.getByRole("button")
			.first()
			.click();
		await page.getByLabel("path").fill("log.txt");
		await page.getByLabel("content").fill("All well at sea.");
		await page.getByRole("button", { name: "Call it" }).click();
		await page.getByRole("heading", { name: "This call waits for an approval" }).waitFor();
		await takePicture(page, "npm-start-waits");
		const written = join(clone, "examples", "quickstart", "sample", "log.txt");
		await assert.rejects(readFile(written), /ENOENT/);
		const waiting = phone.getByRole("region", { name: "filesystem write_file" });
		await waiting.getByText("“All well at sea.”").waitFor();
		await assertAccessible(phone, "an approval on a phone");
		await assertFits(phone, "an approval on a phone");
		await takePicture(phone, "npm-start-approval-phone");
		await waiting.getByLabel("Reason").fill("It may say so.");
		await waiting.getByRole("button", { name: "Approve" }).click();
		await phone.getByText("Approved.").waitFor();
		await result.getByText("done in", { exact: false }).waitFor();
		await takePicture(page, "npm-start-approved");
		assert.equal(await readFile(written, "utf8"), "All well at sea.");

		await page.getByLabel("Find").fill("read_text_file");
		await page
			.getByRole("region", { name: "What can be called" })
			.getByRole("button")
			.first()
			.click();
		await page.getByLabel("path").fill("/no/such/file");
		await page.getByRole("button", { name: "Call it" }).click();
		await result.getByText("The tool says that it failed.").waitFor();

		await page.getByRole("link", { name: "Calls" }).click();
		await page.getByLabel("Ended").selectOption("error");
		const table = page.getByRole("region", { name: "Calls" });
		const found = table.getByRole("link", { name: /^filesystem read_/ });
		await found.first().waitFor();
		assert.equal(await table.getByRole("link", { name: "everything echo" }).count(), 0);
		await takePicture(page, "npm-start-error-found");
		await found.first().click();
		await page.getByRole("heading", { name: "Where the time went" }).waitFor();
		await takePicture(page, "npm-start-error-story");
		assert.deepEqual([...troubles, ...phone_troubles], []);
		return undefined;
	},
);
