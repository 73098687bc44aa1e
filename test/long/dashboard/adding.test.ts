import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
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

const here = { skip: needs_chromium };
const value = "a-token-for-the-vault";
const pasted_token = `ghp_${"a1B2".repeat(9)}`;

describe("adding a server", () => {
	let scene: DashboardScene;
	let page: Page;

	before(async () => {
		if (needs_chromium !== false) return;
		scene = await startDashboard({ servers: { echo: stdioFixture("echo") } });
		({ page } = scene);
	});
	after(() => scene?.stop());

	const fileText = () => readFile(scene.gateway.config_path, "utf8");
	const open = async () => {
		await scene.visit("#/mine", "My connections");
		await scene.visit("#/add", "Add a server");
	};
	const paste = async (text: string) => {
		await open();
		await page.getByLabel("A command, an address", { exact: false }).fill(text);
		await page.getByRole("button", { name: "Look at it" }).click();
	};
	const card = (name: string) => page.getByRole("region", { name: `Server ${name}`, exact: true });
	const client_file = (name: string, env: object) =>
		JSON.stringify({ mcpServers: { [name]: { ...stdioFixture("secretive"), env } } });

	test(
		"a secret goes into the vault, the file has its name, and the server its value",
		here,
		async () => {
			await paste(client_file("held", { SECRETS: "FORGE_TOKEN", FORGE_TOKEN: "<your token>" }));
			const region = card("held");
			await region.getByText("FORGE_TOKEN: ${secret:forge_token}").waitFor();
			const button = region.getByRole("button", { name: "Add and run this" });
			assert.match((await button.getAttribute("title")) ?? "", /Fill in FORGE_TOKEN first/);
			await region.getByLabel("FORGE_TOKEN", { exact: true }).fill(value);
			await assertLooks(page, "adding");
			await button.click();
			await page.getByRole("heading", { name: "held is added" }).waitFor();
			await card("held").getByText("It runs and answers.").waitFor();
			await assertAccessible(page, "a server that was added");
			const text = await fileText();
			assert.ok(text.includes("${secret:forge_token}") && !text.includes(value), text);
			assert.ok(!(await page.content()).includes(value));
			await scene.visit("#/playground?server=held&tool=hold", "Playground");
			await page.getByLabel("Arguments", { exact: false }).last().fill('{"name":"FORGE_TOKEN"}');
			await page.getByRole("button", { name: "Call it" }).click();
			const hash = createHash("sha256").update(value).digest("hex");
			await page.getByRole("region", { name: "Result" }).getByText(hash).waitFor();
			assert.deepEqual(scene.troubles, []);
		},
	);

	test(
		"a secret that stands in what was pasted is moved, and the same one can be used again",
		here,
		async () => {
			await paste(
				`FORGE_TOKEN=${pasted_token} SECRETS=FORGE_TOKEN ${stdioFixture("secretive").args[0]}`,
			);
			const region = card("secretive");
			await region.getByText("It was found in what you pasted.", { exact: false }).waitFor();
			await region.getByText("FORGE_TOKEN: ${secret:forge_token-2}").waitFor();
			await region.getByLabel("Where FORGE_TOKEN comes from").selectOption("stored");
			await region.getByText("FORGE_TOKEN: ${secret:forge_token}").waitFor();
			await region.getByLabel("Where FORGE_TOKEN comes from").selectOption("new");
			await region.getByRole("button", { name: "Add and run this" }).click();
			await page.getByRole("heading", { name: "secretive is added" }).waitFor();
			const text = await fileText();
			assert.ok(text.includes("${secret:forge_token-2}") && !text.includes(pasted_token), text);
		},
	);

	test("what is refused stands at its field, and nothing is left behind", here, async () => {
		await paste(client_file("short", { TOKEN: "" }));
		const region = card("short");
		await region.getByLabel("TOKEN", { exact: true }).fill("x");
		const before_text = await fileText();
		await region.getByRole("button", { name: "Add and run this" }).click();
		const wrong = region.locator('[aria-invalid="true"]');
		await wrong.waitFor();
		assert.equal(await wrong.inputValue(), "x");
		await region.getByLabel("TOKEN", { exact: true }).fill("long enough now");
		await region.getByLabel("Name", { exact: true }).fill("echo");
		await region.getByRole("button", { name: "Add and run this" }).click();
		await region.locator("input[aria-invalid=true]").waitFor();
		assert.equal(await region.locator('[aria-invalid="true"]').inputValue(), "echo");
		assert.equal(await fileText(), before_text);
		await scene.visit("#/servers/held/secrets", "held");
		scene.troubles.length = 0;
	});

	test(
		"a file is read, an address gets the header that its documentation asks for",
		here,
		async () => {
			await open();
			await page.getByLabel("Choose a file").setInputFiles({
				name: "mcp.json",
				mimeType: "application/json",
				buffer: Buffer.from('{"mcpServers":{"docs":{"url":"http://127.0.0.1:9/mcp"}}}'),
			});
			const region = card("docs");
			await region.getByText("http://127.0.0.1:9/mcp").waitFor();
			await region.getByRole("button", { name: "Give it a header" }).press("Enter");
			await region.getByLabel("Name of a header").fill("X-Api-Key");
			await region.getByRole("button", { name: "Add it" }).press("Enter");
			await region.getByLabel("X-Api-Key", { exact: true }).fill(value);
			await region.getByText("X-Api-Key: ${secret:x_api_key}").waitFor();
			await region.getByRole("button", { name: "Add this address" }).press("Enter");
			await page.getByRole("heading", { name: "docs is added" }).waitFor();
			assert.ok(!(await fileText()).includes(value));
		},
	);

	test("a value that is added gets a name that no other secret has", here, async () => {
		await paste(client_file("again", { FORGE_TOKEN: "" }));
		const region = card("again");
		await region.getByText("FORGE_TOKEN: ${secret:forge_token-3}").waitFor();
		for (const name of ["TOKEN", "Token", "Forge_Token"]) {
			await region.getByRole("button", { name: "Give it an environment variable" }).click();
			await region.getByLabel("Name of an environment variable").fill(name);
			await region.getByRole("button", { name: "Add it" }).click();
			await region.getByLabel(name, { exact: true }).fill(`${value} of ${name}`);
		}
		await region.getByLabel("FORGE_TOKEN", { exact: true }).fill(value);
		await region.getByRole("button", { name: "Add and run this" }).click();
		await page.getByRole("heading", { name: "again is added" }).waitFor();
		const text = await fileText();
		const names = ["again_token", "again_token-2", "forge_token-3", "forge_token-4"];
		for (const name of names) assert.ok(text.includes(`\${secret:${name}}`), text);
		await scene.visit("#/servers/again/secrets", "again");
		for (const name of names) {
			const kept = page.getByRole("region", { name: `Value ${name}`, exact: true });
			await kept.getByText("there", { exact: true }).waitFor();
		}
	});

	test("what is nothing is told at the field, with what to paste instead", here, async () => {
		await paste("[1, 2]");
		const field = page.getByLabel("A command, an address", { exact: false });
		await page.locator("textarea[aria-invalid=true]").waitFor();
		await page.getByText("Paste a command such as", { exact: false }).waitFor();
		assert.equal(await field.inputValue(), "[1, 2]");
	});
});
