import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { built_in_rules } from "../../src/config/alert-rules.ts";
import { repository_root } from "../../tools/lib/paths.ts";
import { startGateway, stdioFixture } from "../support/gateway.ts";
import { runCli } from "../support/run-cli.ts";
import { openWire } from "../support/wire-clients.ts";

/** A page of `docs/`. */
function pageOf(name: string): Promise<string> {
	return readFile(join(repository_root, "docs", `${name}.md`), "utf8");
}

/** Arguments of every command line that stands in a block of its own, as a shell splits them. */
function commandsIn(page: string): string[][] {
	const blocks = [...page.matchAll(/^```(\w*)\n(.*?)^```$/gms)];
	return blocks
		.flatMap(([, language, block = ""]) => (language === "" ? block.split("\n") : []))
		.filter((line) => line.startsWith("moorage "))
		.map((line) => [...line.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word))
		.map(([, ...args]) => args);
}

test("the pages of metrics and alerts name what there is, and their commands work", async (t) => {
	const [telemetry, alerts] = [await pageOf("telemetry"), await pageOf("alerts")];
	const gateway = await startGateway({ servers: { echo: stdioFixture("echo") } });
	t.after(() => gateway.stop());

	await t.test("every metric of a scrape stands in the table, and no other", async () => {
		const client = await openWire("modern", gateway.address("echo"));
		await client.call("echo", '{"text":"ahoy"}');
		const scrape = await (await fetch(`${gateway.url}/metrics`)).text();
		const there = [...scrape.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
		const rows = telemetry.split("\n").filter((line) => line.startsWith("| `"));
		const named = rows.flatMap((row) =>
			[...(row.split("|")[1] ?? "").matchAll(/`(\w+)`/g)].map(([, name]) => name),
		);
		assert.deepEqual(named.toSorted(), there.toSorted());
	});

	await t.test("every rule that is on from the start stands in the table, and no other", () => {
		const named = [...alerts.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
		assert.deepEqual(named.toSorted(), built_in_rules.map(({ name }) => name).toSorted());
	});

	const world = { cwd: gateway.folder };
	const data = ["--data", join(gateway.folder, ".moorage")];
	const commands = [...commandsIn(telemetry), ...commandsIn(alerts)];
	assert.ok(commands.length >= 4);
	for (const args of commands) {
		await t.test(`moorage ${args.join(" ")}`, async () => {
			const { code, stderr } = await runCli([...args, ...data], world);
			assert.equal(code, 0, stderr);
		});
	}
});
