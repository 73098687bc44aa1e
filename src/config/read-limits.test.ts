import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { read_limits } from "./defaults.ts";
import { addServer, removeServer } from "./edit.ts";
import { type LoadOptions, loadPlan } from "./load.ts";
import { tree_limits } from "./located.ts";
import { formatProblem } from "./problem.ts";
import { readBounded } from "./read-bounded.ts";
import { Report, SourceFile } from "./report.ts";
import { checkServerName, safeServerName, server_name_chars_max } from "./server-names.ts";

const { config_bytes_max, env_file_bytes_max, text_chars_max } = read_limits;

async function saidOf(cwd: string, more: Partial<LoadOptions> = {}): Promise<string> {
	const loaded = await loadPlan({
		...{ path: undefined, cwd, home: cwd },
		environment: {},
		overrides: {},
		...more,
	});
	return loaded.ok ? "" : loaded.problem.map(formatProblem).join("\n");
}

/** A configuration of so many bytes, with one server. */
function configOf(bytes: number): string {
	const text = "servers: { one: { command: run } }\n# ";
	return text.padEnd(bytes, "x");
}

test("a configuration may be as large as it may, and not a byte larger", async (context) => {
	const cwd = await tempFolder(context);
	const too_large = new RegExp(
		`configuration is larger than ${config_bytes_max} bytes\\. Correct it`,
	);
	for (const [bytes, said] of [
		[config_bytes_max - 1, /^$/],
		[config_bytes_max, /^$/],
		[config_bytes_max + 1, too_large],
	] as const) {
		const text = configOf(bytes);
		await writeFile(join(cwd, "moorage.yaml"), text);
		assert.match(await saidOf(cwd), said);
		await writeFile(join(cwd, "moorage.yaml"), "");
		assert.match(await saidOf(cwd, { text }), said, "nor a text that is to take its place");
	}
});

test("no server is added to a file that could not be read afterwards", async (context) => {
	const cwd = await tempFolder(context);
	const path = join(cwd, "moorage.yaml");
	const two = { command: "run", args: [] };
	const before = configOf(1_000);
	await writeFile(path, before);
	assert.ok((await addServer(path, "two", two)).ok);
	const added = (await readFile(path, "utf8")).length - before.length;
	for (const [bytes, good] of [
		[config_bytes_max - added - 1, true],
		[config_bytes_max - added, true],
		[config_bytes_max - added + 1, false],
	] as const) {
		await writeFile(path, configOf(bytes));
		const outcome = await addServer(path, "two", two);
		assert.equal(outcome.ok, good, String(bytes));
		if (outcome.ok) continue;
		assert.equal(
			formatProblem(outcome.problem),
			`${path}: The configuration would be larger than ${config_bytes_max} bytes. ` +
				"Remove what is no longer needed first.",
		);
		assert.equal(await readFile(path, "utf8"), configOf(bytes), "the file is as it was");
		assert.deepEqual(await readdir(cwd), ["moorage.yaml"]);
		assert.ok((await removeServer(path, "one")).ok, "and can be made smaller");
	}
});

test("a file of variables may be as large as it may, and not a byte larger", async (context) => {
	const cwd = await tempFolder(context, {
		"mcp.json": '{"mcpServers":{"one":{"command":"run","envFile":"vars"}}}',
	});
	for (const [bytes, said] of [
		[env_file_bytes_max - 1, /^$/],
		[env_file_bytes_max, /^$/],
		[
			env_file_bytes_max + 1,
			/^mcp\.json:1:\d+: The `envFile` is larger than 1048576 bytes\. Correct the file or its path/,
		],
	] as const) {
		await writeFile(join(cwd, "vars"), "A=1\n#".padEnd(bytes, "x"));
		assert.match(await saidOf(cwd), said, String(bytes));
	}
});

test("the size of a file is counted in bytes, and what is taken is all of it", async (context) => {
	const cwd = await tempFolder(context, { file: "é".repeat(5) });
	const path = join(cwd, "file");
	assert.deepEqual(await readBounded(path, 11), { ok: true, value: "ééééé" });
	assert.deepEqual(await readBounded(path, 10), { ok: true, value: "ééééé" });
	assert.deepEqual(await readBounded(path, 9), { ok: false, problem: "is larger than 9 bytes" });
});

test("a text may be as long as a program can be given, and no longer", async (context) => {
	const cwd = await tempFolder(context, {
		"mcp.json": '{"mcpServers":{"one":{"command":"run","args":["$LONG"]}}}',
	});
	for (const [chars, said] of [
		[text_chars_max - 1, /^$/],
		[text_chars_max, /^$/],
		[text_chars_max + 1, /longer than 131072 characters\. Put it into a file and name the file/],
	] as const) {
		assert.match(await saidOf(cwd, { environment: { LONG: "x".repeat(chars) } }), said);
	}
});

for (const [name, before, after] of [
	["moorage.yaml", "servers: { one: { command: run, args: ", "} }"],
	["mcp.json", '{"mcpServers":{"one":{"command":"run","args":', "}}}"],
] as const) {
	test(`${name} may be nested so deep, and no deeper`, async (context) => {
		const cwd = await tempFolder(context);
		// The list stands three levels down, and what is in the innermost one is a level too.
		const most = tree_limits.depth_max - 3;
		for (const [lists, is_deep] of [
			[most - 1, false],
			[most, false],
			[most + 1, true],
		] as const) {
			const nested = `${"[".repeat(lists)}1${"]".repeat(lists)}`;
			await writeFile(join(cwd, name), before + nested + after);
			const said = await saidOf(cwd);
			assert.equal(/is nested too deeply\. Write it more simply/.test(said), is_deep, said);
			assert.match(said, /:1:\d+: /, "a list in a list is no argument, whatever its depth");
		}
	});
}

test("a file may hold so many values, and what its aliases stand for counts", async (context) => {
	const cwd = await tempFolder(context);
	// The file, `servers`, the server, its command and the list of arguments are values as well.
	const most = tree_limits.nodes_max - 5;
	for (const [count, said] of [
		[most - 1, /^$/],
		[most, /^$/],
		[most + 1, /:1:\d+: The file has more than 100000 values.*Write it shorter/],
	] as const) {
		const args = `[${"a,".repeat(count)}]`;
		await writeFile(join(cwd, "moorage.yaml"), `servers: { one: { command: run, args: ${args} } }`);
		assert.match(await saidOf(cwd), said, String(count));
	}
});

test("there may be so many rules, and no more", async (context) => {
	const cwd = await tempFolder(context);
	// rules_max
	for (const [count, said] of [
		[19_999, /^$/],
		[20_000, /^$/],
		[20_001, /: There are more than 20000 rules\. Join some of them\.$/],
	] as const) {
		const rules = "  - { tool: a, then: deny }\n".repeat(count);
		await writeFile(join(cwd, "moorage.yaml"), `policy:\n${rules}`);
		assert.match(await saidOf(cwd), said, String(count));
	}
});

test("as many problems are told as people read, and the rest is counted", () => {
	// problems_max
	const problemsOf = (count: number) => {
		const report = new Report(new SourceFile("f", "x\n".repeat(count)));
		for (let line = 0; line < count; line += 1) report.problem(line * 2, `p${line}`, "n");
		return report.problems().map(formatProblem);
	};
	assert.deepEqual(problemsOf(49).at(-1), "f:49:1: p48 n");
	assert.deepEqual(problemsOf(50).at(-1), "f:50:1: p49 n");
	assert.equal(problemsOf(50).length, 50);
	assert.equal(problemsOf(51).length, 51);
	assert.match(problemsOf(51).at(-1) ?? "", /1 more problem/);
	assert.equal(problemsOf(90).length, 51);
	assert.match(problemsOf(90).at(-1) ?? "", /40 more problems/);
});

test("a server's name may be so long, and a longer one is told one that may", () => {
	for (const chars of [1, server_name_chars_max - 1, server_name_chars_max]) {
		const name = "x".repeat(chars);
		assert.equal(checkServerName(name), undefined);
		assert.equal(safeServerName(name), name);
	}
	const long = "x".repeat(server_name_chars_max + 1);
	const wrong = checkServerName(long);
	assert.equal(wrong?.kind, "form");
	assert.match(wrong?.next ?? "", /at most 40.*for example `x{31}-[0-9a-f]{8}`/);
	assert.equal(safeServerName(long).length, server_name_chars_max);
});

test("keys that are left out are named, as many as fit on a line", async (context) => {
	// ignored_shown_max
	const cwd = await tempFolder(context);
	const warningOf = async (count: number) => {
		const keys = Array.from({ length: count }, (_, at) => `"odd${at}":1`).join();
		await writeFile(
			join(cwd, "mcp.json"),
			`{"mcpServers":{"one":{"command":"run"${count === 0 ? "" : `,${keys}`}}}}`,
		);
		const loaded = await loadPlan({
			...{ path: undefined, cwd, home: cwd },
			environment: {},
			overrides: {},
		});
		assert.ok(loaded.ok);
		return loaded.value.warnings.join("\n");
	};
	assert.match(await warningOf(5), /: `odd0`, .*`odd4`\.$/);
	assert.match(await warningOf(6), /: `odd0`, .*`odd5`\.$/);
	assert.match(await warningOf(7), /: `odd0`, .*`odd5` and 1 more\.$/);
});
