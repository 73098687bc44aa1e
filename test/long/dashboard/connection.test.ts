import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { buildDashboard } from "../../../tools/lib/dashboard.ts";
import { repository_root } from "../../../tools/lib/paths.ts";
import { needs_chromium, startBrowser } from "../../support/browser.ts";
import { startGateway, stdioFixture, type TestGateway } from "../../support/gateway.ts";

const here = { skip: needs_chromium };
const offline = "The gateway does not answer right now";

test("a lost connection says so, keeps what was typed, and goes on by itself", here, async (t) => {
	await buildDashboard(repository_root);
	const folder = await mkdtemp(join(tmpdir(), "moorage-test-"));
	const config = { servers: { echo: stdioFixture("echo") } };
	let gateway: TestGateway = await startGateway(config, { folder });
	const browser = await startBrowser();
	t.after(async () => {
		await browser.close();
		await gateway.stop();
		await rm(folder, { recursive: true, force: true });
	});
	const page = await browser.open(gateway.daemon.dashboardAddress());
	await page.getByRole("article", { name: "echo" }).waitFor();
	await page.goto(`${gateway.url}/#/add`);
	const pasted = page.getByLabel("A command, an address", { exact: false });
	await pasted.fill("npx -y something@1.0.0");
	const port = Number(new URL(gateway.url).port);
	await gateway.stop();
	await page.getByText(offline, { exact: false }).waitFor();
	await page.getByRole("button", { name: "Look at it" }).click();
	await page.getByText("The gateway does not answer.", { exact: false }).first().waitFor();
	gateway = await startGateway(config, { folder, port });
	await page.getByText(offline, { exact: false }).waitFor({ state: "detached" });
	assert.equal(await pasted.inputValue(), "npx -y something@1.0.0");
	await page.getByRole("button", { name: "Look at it" }).click();
	await page.getByText("What will run on the gateway's machine", { exact: false }).waitFor();
	// Whoever was signed in still is, and can do what they could.
	await page.getByRole("link", { name: "Fleet" }).first().click();
	await page.getByRole("button", { name: "Wake echo" }).click();
	await page.getByRole("article", { name: "echo" }).getByText("Ready").waitFor();
});
