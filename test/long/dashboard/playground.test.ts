import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { needs_chromium } from "../../support/browser.ts";
import {
	assertAccessible,
	assertFits,
	type DashboardScene,
	startDashboard,
	takePicture,
} from "../../support/dashboard-scene.ts";
import { stdioFixture } from "../../support/gateway.ts";

const here = { skip: needs_chromium };

describe("the playground", () => {
	let scene: DashboardScene;
	let page: Page;

	before(async () => {
		if (needs_chromium !== false) return;
		scene = await startDashboard({
			servers: {
				showy: stdioFixture("showy"),
				asking: stdioFixture("asking"),
				progress: stdioFixture("progress"),
			},
		});
		({ page } = scene);
	});
	after(() => scene?.stop());

	const open = async (server: string, tool: string) => {
		// From another page, so that nothing is left of the form before.
		await scene.visit("#/mine", "My connections");
		const query = new URLSearchParams({ server, tool }).toString();
		await scene.visit(`#/playground?${query}`, "Playground");
		await page.getByRole("button", { name: "Call it" }).waitFor();
	};
	const run = () => page.getByRole("button", { name: "Call it" }).click();
	const result = () => page.getByRole("region", { name: "Result" });

	test(
		"a form has a field for everything of a schema, and sends what was filled in",
		here,
		async () => {
			await open("showy", "rich");
			await page.getByLabel("title").fill("Hello");
			assert.equal(await page.getByLabel("count").inputValue(), "3");
			await page.getByLabel("urgent").selectOption("true");
			await page.getByLabel("colour").selectOption("blue");
			await page.getByRole("button", { name: "Add to tags" }).click();
			await page.getByLabel("tags 1", { exact: true }).fill("a");
			await page.getByRole("button", { name: "Add owner" }).click();
			await page.getByLabel("name").fill("Ana");
			await page.getByRole("button", { name: "Add boss" }).click();
			await page.getByLabel("name").nth(1).fill("Bo");
			await page.getByRole("button", { name: "Add where" }).click();
			await page.getByLabel("How where is given").selectOption({ label: "A number" });
			await page.getByRole("textbox", { name: /^A number/ }).fill("7");
			await page.getByLabel("attachment").setInputFiles({
				name: "note.txt",
				mimeType: "text/plain",
				buffer: Buffer.from("note"),
			});
			await page.getByText("4 bytes chosen", { exact: false }).waitFor();
			await page.getByLabel("extra").fill('{"free":true}');
			await run();
			await result().getByText("done in").waitFor();
			const sent = await sentArguments(page);
			assert.deepEqual(sent, {
				title: "Hello",
				count: 3,
				urgent: true,
				colour: "blue",
				tags: ["a"],
				owner: { name: "Ana", boss: { name: "Bo" } },
				where: 7,
				attachment: Buffer.from("note").toString("base64"),
				extra: { free: true },
			});
			await takePicture(page, "playground-form");
			await assertAccessible(page, "a filled form with its result");
		},
	);

	test("what is wrong with a field stands at the field, and nothing is called", here, async () => {
		await open("showy", "rich");
		await page.getByLabel("count").fill("eleven");
		await page.getByLabel("extra").fill("{");
		await run();
		const wrong = page.locator('[aria-invalid="true"]');
		await wrong.first().waitFor();
		assert.equal(await wrong.count(), 3);
		await page.getByText("This is not a number.").waitFor();
		await page.getByText("This is needed.").waitFor();
		await page.getByText("This is not JSON.", { exact: false }).waitFor();
		assert.equal(await result().count(), 0);
		assert.equal(
			await page.evaluate("document.activeElement.getAttribute('aria-invalid')"),
			"true",
		);
		await assertAccessible(page, "a form with mistakes");
	});

	test(
		"pictures, sounds, resources and structured results are shown as what they are",
		here,
		async () => {
			await open("showy", "media");
			await run();
			await result().locator('img[src^="data:image/png"]').waitFor();
			assert.equal(await result().locator("audio").count(), 1);
			await result().getByText("a note").waitFor();
			await result().getByText("42").waitFor();
			await result().getByText("text/html, which is not shown", { exact: false }).waitFor();
			assert.equal(await result().locator("a").count(), 0);
			assert.deepEqual(
				scene.troubles.splice(0).filter((one) => !one.includes("audio")),
				[],
			);
		},
	);

	test(
		"a question of the server is answered by hand, in the middle of the call",
		here,
		async () => {
			await open("asking", "elicit");
			await run();
			const question = page.getByRole("alert", { name: "A question of the server" });
			await question.getByText("What is your name?").waitFor();
			await assertAccessible(page, "a question");
			await question.getByLabel("name").fill("Ana");
			await question.getByRole("button", { name: "Accept" }).click();
			await result().getByText("“Ana”").waitFor();
			assert.equal(await question.count(), 0);
		},
	);

	test("a question can be declined, and the server hears that", here, async () => {
		await open("asking", "elicit");
		await run();
		await page.getByRole("button", { name: "Decline" }).click();
		await result().getByText("“decline”").waitFor();
	});

	test("a person answers in the place of a model", here, async () => {
		await open("asking", "sample");
		await run();
		await page.getByLabel("Answer in the place of the model").fill("Hello from me");
		await page.getByRole("button", { name: "Answer", exact: true }).click();
		await result().getByText("“Hello from me”").waitFor();
	});

	test("progress is shown while a call runs, and a call can be cancelled", here, async () => {
		await open("progress", "patient");
		await run();
		await result().locator("progress").waitFor();
		await result().getByText("1 of 2. waiting").waitFor();
		await result().getByRole("button", { name: "Cancel the call" }).click();
		await page.getByRole("button", { name: "Call it" }).waitFor();
	});

	test("the messages of both sides are there, and the same call for elsewhere", here, async () => {
		await open("showy", "markup");
		await run();
		await result().getByText("done in").waitFor();
		const messages = page.getByRole("region", { name: "Messages" });
		await messages.getByText("tools/call").first().waitFor();
		await messages.getByRole("button", { name: "Gateway and server" }).click();
		await messages.getByText("tools/call").first().waitFor();
		await messages.locator("summary", { hasText: "result" }).waitFor();
		const elsewhere = page.getByRole("region", { name: "The same call elsewhere" });
		await elsewhere.getByText("Command line").click();
		await elsewhere.getByText("moorage call showy markup --args").waitFor();
	});

	test(
		"a number beyond what the browser holds is sent, shown and copied as typed",
		here,
		async () => {
			const long = "12345678901234567890";
			await open("showy", "rich");
			await page.getByLabel("title").fill("Hello");
			await page.getByLabel("extra").fill(`{"id":${long},"part":1.0}`);
			await run();
			await result().getByText("done in").waitFor();
			const raw = `"extra":{"id":${long},"part":1.0}`;
			for (const side of ["Client and gateway", "Gateway and server"]) {
				const messages = page.getByRole("region", { name: "Messages" });
				await messages.getByRole("button", { name: side }).click();
				const first = messages.locator("details", { hasText: "tools/call" }).first();
				await first.locator("summary").click();
				const text = (await first.locator("pre").textContent()) ?? "";
				assert.ok(text.replaceAll(/\s/g, "").includes(raw), `${side}: ${text}`);
			}
			await page.getByText("Command line").click();
			await page.getByText(`"id":${long}`, { exact: false }).first().waitFor();
			await page.getByRole("button", { name: "Edit as JSON" }).click();
			const json = page.getByLabel("Arguments as JSON");
			assert.match(await json.inputValue(), new RegExp(`"id": ${long}`));
			await page.getByRole("button", { name: "Put into the form" }).click();
			assert.match(await page.getByLabel("extra").inputValue(), new RegExp(`"id": ${long}`));
		},
	);

	test("on a phone a call fits, from the form to its result", here, async () => {
		await page.setViewportSize({ width: 375, height: 812 });
		await open("showy", "media");
		await run();
		await result().getByText("done in").waitFor();
		await assertFits(page, "a result");
		await takePicture(page, "playground-phone");
		await page.setViewportSize({ width: 1440, height: 900 });
	});
});

async function sentArguments(page: Page): Promise<unknown> {
	const messages = page.getByRole("region", { name: "Messages" });
	const first = messages.locator("details", { hasText: "tools/call" }).first();
	await first.locator("summary").click();
	const text = (await first.locator("pre").textContent()) ?? "{}";
	return (JSON.parse(text) as { params: { arguments: unknown } }).params.arguments;
}
