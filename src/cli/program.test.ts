import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createContext, runCli } from "../../test/support/run-cli.ts";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { all_commands } from "./all-commands.ts";
import { helpText } from "./program.ts";
import { cliReference } from "./reference.ts";

const page = fileURLToPath(new URL("../../docs/cli.md", import.meta.url));

test("docs/cli.md says what the program's help says", (context) => {
	// After a change of help: node --test --test-update-snapshots src/cli/program.test.ts
	const text = cliReference(all_commands, createContext({ cwd: "/" }).context);
	context.assert.fileSnapshot(text, page, { serializers: [(value: string) => value] });
});

for (const command of all_commands) {
	test(`${command.name} --help has an example, --json and --data, and fits its width`, async (context) => {
		const folder = await tempFolder(context);
		const help = await runCli([command.name, "--help"], { cwd: folder });
		assert.equal(help.code, 0);
		assert.equal(help.stderr, "");
		assert.match(help.stdout, new RegExp(`^Usage: moorage ${command.name}`));
		assert.match(help.stdout, /--json/);
		assert.match(help.stdout, /--data <dir>/);
		assert.match(help.stdout, new RegExp(`Examples:\\n {2}# .+\\n {2}moorage ${command.name}`));
		for (const line of help.stdout.split("\n")) assert.ok(line.length <= 96, line);
		assert.equal(
			help.stdout,
			helpText(all_commands, createContext({ cwd: folder }).context, command.name),
		);
	});

	test(`${command.name} refuses an option it does not have`, async (context) => {
		const folder = await tempFolder(context);
		const args = Object.entries(command.args)
			.filter(([, spec]) => spec.kind === "required")
			.map(([name]) => name);
		const outcome = await runCli([command.name, ...args, "--no-such"], { cwd: folder });
		assert.equal(outcome.code, 2);
		assert.match(outcome.stderr, /^moorage: unknown option '--no-such'/);
		assert.equal(outcome.stdout, "");
	});
}

test("without a command the help is shown", async () => {
	const outcome = await runCli([], { cwd: "/" });
	assert.equal(outcome.code, 0);
	assert.match(outcome.stdout, /^Usage: moorage/);
	assert.match(outcome.stdout, /Exit codes:/);
});

test("help for a command is the command's own help", async () => {
	const one = await runCli(["help", "call"], { cwd: "/" });
	const other = await runCli(["call", "--help"], { cwd: "/" });
	assert.equal(one.stdout, other.stdout);
	assert.equal(one.code, 0);
});

test("the version is printed", async () => {
	const outcome = await runCli(["--version"], { cwd: "/" });
	assert.deepEqual(outcome, { code: 0, stdout: "0.0.0\n", stderr: "" });
});

test("an unknown command is refused with the nearest one", async () => {
	const outcome = await runCli(["statsu"], { cwd: "/" });
	assert.equal(outcome.code, 2);
	assert.match(outcome.stderr, /unknown command 'statsu'/);
	assert.match(outcome.stderr, /Did you mean status\?/);
	assert.match(outcome.stderr, /moorage --help/);
});

test("too few and too many arguments are refused", async () => {
	for (const args of [["call"], ["rm"], ["rm", "a", "b"], ["status", "x", "y"]]) {
		const outcome = await runCli(args, { cwd: "/" });
		assert.equal(outcome.code, 2, args.join(" "));
		assert.match(outcome.stderr, /^moorage: /);
		assert.match(outcome.stderr, new RegExp(`moorage ${args[0]} --help`));
	}
});

test("a command to add that is not put behind -- gets the reason", async () => {
	const outcome = await runCli(["add", "x", "npx", "-y", "y"], { cwd: "/" });
	assert.equal(outcome.code, 2);
	assert.match(outcome.stderr, /Put -- before the server's own command/);
});

test("with --json a failure is an object on standard output too", async (context) => {
	const folder = await tempFolder(context);
	const outcome = await runCli(["status", "--json"], { cwd: folder });
	assert.equal(outcome.code, 4);
	const { error } = JSON.parse(outcome.stdout) as { error: Record<string, string> };
	assert.equal(error["code"], "no_gateway");
	assert.ok(outcome.stderr.includes(error["message"] as string));
	const plain = await runCli(["status"], { cwd: folder });
	assert.equal(plain.stdout, "");
});

test("a --json of the server that is added is not an option of ours", async (context) => {
	const folder = await tempFolder(context);
	const outcome = await runCli(["add", "a__b", "--", "x", "--json"], { cwd: folder });
	assert.notEqual(outcome.code, 0);
	assert.equal(outcome.stdout, "");
});
