import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { createContext } from "../../test/support/run-cli.ts";
import type { ServerOverview } from "../admin/contract.ts";
import { mcpAddress, unknownEndpoint } from "./endpoint-address.ts";
import { exit_code_meanings, exit_codes } from "./exit-codes.ts";
import { CommandFailure, usageFailure } from "./failure.ts";
import { untilInterrupted } from "./interrupt.ts";
import { withProgress } from "./progress.ts";
import { readAll } from "./read-all.ts";
import { runCommandLine } from "./run.ts";
import { isUsable, printServers, stateWord } from "./server-table.ts";
import { startFailure } from "./start-failure.ts";

function open() {
	const { context, stdout, stderr, listeners, forced } = createContext({ cwd: "/" });
	const text = (stream: typeof stdout) => String(stream.read() ?? "");
	return { context, listeners, forced, out: () => text(stdout), err: () => text(stderr) };
}

test("every exit code has one meaning", () => {
	const codes = exit_code_meanings.map(([code]) => code);
	assert.deepEqual(codes, Object.values(exit_codes));
	assert.equal(new Set(codes).size, codes.length);
});

test("the address of an endpoint is safe in a URL", () => {
	assert.equal(mcpAddress("http://h", undefined), "http://h/mcp");
	assert.equal(mcpAddress("http://h", "mcp"), "http://h/mcp");
	assert.equal(mcpAddress("http://h", "time"), "http://h/time/mcp");
	assert.equal(mcpAddress("http://h", "a/../b"), "http://h/a%2F..%2Fb/mcp");
});

test("an endpoint that is not there is told with the nearest, or where to look", () => {
	assert.match(unknownEndpoint("tiem", ["time"]).parts.next ?? "", /Did you mean "time"/);
	assert.match(unknownEndpoint("zzz", ["time"]).parts.next ?? "", /moorage status/);
});

test("a server is called skipped, waiting, retrying or by its state", () => {
	const cases = [
		[{ state: "failed", code: "command_missing", reason: "r" }, "skipped"],
		[{ state: "failed", code: "server_failed", reason: "r" }, "failed"],
		[{ state: "stopped", code: "server_failed", reason: "r" }, "retrying"],
		[{ state: "starting", reason: "r" }, "retrying"],
		[{ state: "stopped", code: "authorization_required", reason: "r" }, "waiting"],
		[{ state: "stopped" }, "stopped"],
		[{ state: "ready", reason: "before" }, "ready"],
	] as const;
	for (const [server, word] of cases) assert.equal(stateWord(server), word);
});

test("a server that sleeps is usable, one that waits for its next try is not", () => {
	const server = {
		name: "a",
		title: "a",
		tools: 1,
		resources: 0,
		prompts: 0,
		url: "http://h/a/mcp",
	};
	assert.equal(isUsable({ ...server, state: "ready" }), true);
	assert.equal(isUsable({ ...server, state: "frozen", tools: 0 }), true);
	assert.equal(isUsable({ ...server, state: "stopped" }), true);
	assert.equal(isUsable({ ...server, state: "stopped", tools: 0 }), false);
	assert.equal(isUsable({ ...server, state: "stopped", reason: "exited" }), false);
	assert.equal(isUsable({ ...server, state: "starting" }), false);
});

test("servers are shown with what is wrong with them below, made safe", () => {
	const { context, out } = open();
	const server = (name: string, rest: Partial<ServerOverview>): ServerOverview => ({
		name,
		title: name,
		state: "ready",
		tools: 2,
		resources: 0,
		prompts: 0,
		url: `http://h/${name}/mcp`,
		...rest,
	});
	printServers(
		[server("a", {}), server("b", { state: "failed", reason: "It \u001b[31mdied." })],
		context.output,
	);
	assert.equal(
		out(),
		"SERVER  STATE   TOOLS  ADDRESS\n" +
			"a       ready   2      http://h/a/mcp\n" +
			"b       failed  2      http://h/b/mcp\n" +
			"\n" +
			"b: It died.\n",
	);
	printServers([], context.output);
	assert.match(out(), /No servers yet\. Add one: moorage add/);
});

test("what takes over a second is announced once, and what is quicker is not", async () => {
	const { context, err } = open();
	const clock = new FakeClock();
	const timed = { ...context, clock };
	assert.equal(await withProgress(timed, "Quick", Promise.resolve(5)), 5);
	assert.equal(clock.pending, 0);
	const slow = Promise.withResolvers<string>();
	const waiting = withProgress(timed, "Slow", slow.promise);
	await clock.advance(999);
	assert.equal(err(), "");
	await clock.advance(5_000);
	assert.equal(err(), "Slow ...\n");
	slow.resolve("done");
	assert.equal(await waiting, "done");
	await assert.rejects(withProgress(timed, "Fails", Promise.reject(new Error("x"))), /x/);
	assert.equal(clock.pending, 0);
});

test("the first Ctrl-C aborts, the second ends, and afterwards nobody listens", async () => {
	for (const signal of ["SIGINT", "SIGTERM"] as const) {
		const { context, listeners, forced } = open();
		const raise = () => {
			for (const listener of listeners.get(signal) ?? []) listener();
		};
		const outcome = await untilInterrupted(context, 130, async (aborted) => {
			raise();
			assert.equal(aborted.aborted, true);
			assert.deepEqual(forced, []);
			raise();
			return "over";
		});
		assert.equal(outcome, "over");
		assert.deepEqual(forced, [130]);
		assert.deepEqual(
			[...listeners.values()].map((set) => set.size),
			[0, 0],
		);
	}
});

test("standard input is read whole, up to its limit", async () => {
	const stream = () => Readable.from([Buffer.from("ab"), "é"]);
	assert.equal(await readAll(stream(), 4), "abé");
	await assert.rejects(readAll(stream(), 3), /too large/);
	assert.equal(await readAll(Readable.from([]), 1), "");
});

test("a gateway that cannot start is a failure with exit code 3", () => {
	const plain = startFailure({ message: "M.", next: "" }).parts;
	assert.deepEqual([plain.exit_code, plain.code, plain.next], [3, "cannot_start", undefined]);
	const config = [{ file: "f", line: 1, column: 2, message: "m", next: "n" }];
	const refused = startFailure({ message: "M.", next: "N.", config }).parts;
	assert.deepEqual([refused.code, refused.next, refused.config], ["config_refused", "N.", config]);
});

/** Runs a command line on one command that does what the test says. */
function runOne(argv: readonly string[], run: () => Promise<number>) {
	const world = open();
	const command = {
		name: "try",
		summary: "s",
		description: "d",
		args: {},
		options: {},
		examples: [{ line: "moorage try", meaning: "m" }] as const,
		run,
	};
	return { ...world, exit: runCommandLine([command], ["try", ...argv], world.context) };
}

test("what a command returns is the exit code", async () => {
	for (const code of [0, 5]) {
		assert.equal(await runOne([], async () => code).exit, code);
	}
});

test("a failure is told with what to do next, and in JSON when asked for", async () => {
	const fail = async () => {
		throw usageFailure("What happened.", "What to do.");
	};
	const plain = runOne([], fail);
	assert.equal(await plain.exit, 2);
	assert.equal(plain.err(), "moorage: What happened.\n  What to do.\n");
	assert.equal(plain.out(), "");
	const json = runOne(["--json"], fail);
	assert.equal(await json.exit, 2);
	assert.deepEqual(JSON.parse(json.out()), {
		error: { code: "usage", message: "What happened.", next: "What to do." },
	});
});

test("mistakes in a configuration are listed one by one", async () => {
	const config = [
		{ file: "a.yaml", line: 3, column: 4, message: "One.", next: "Do." },
		{ file: "--listen", line: 0, column: 0, message: "Two.", next: "Do." },
	];
	const run = runOne([], async () => {
		throw new CommandFailure({ exit_code: 3, code: "c", message: "Mistakes.", config });
	});
	assert.equal(await run.exit, 3);
	assert.equal(run.err(), "moorage: Mistakes.\n  a.yaml:3:4: One. Do.\n  --listen: Two. Do.\n");
});

test("a defect is told as one, with its stack, and never as an exception", async () => {
	const run = runOne(["--json"], async () => {
		throw new TypeError("undefined is not a function");
	});
	assert.equal(await run.exit, 1);
	assert.match(run.err(), /defect of Moorage itself: TypeError: undefined is not[^]+helpers\.test/);
	assert.equal((JSON.parse(run.out()) as { error: { code: string } }).error.code, "internal");
});
