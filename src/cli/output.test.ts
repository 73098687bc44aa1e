import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import { counted } from "../lib/counted.ts";
import { duration, firstLine, Output, type OutputStream, printable } from "./output.ts";

function open(options: { tty?: boolean; columns?: number; environment?: Record<string, string> }) {
	const make = () =>
		Object.assign(new PassThrough(), {
			isTTY: options.tty === true,
			columns: options.columns ?? 80,
		}) as OutputStream & PassThrough;
	const stdout = make();
	const stderr = make();
	const output = new Output({ stdout, stderr, environment: options.environment ?? {} });
	const text = (stream: PassThrough) => String(stream.read() ?? "");
	return { output, out: () => text(stdout), err: () => text(stderr) };
}

test("columns are aligned by what is seen, not by colours", () => {
	const { output, out } = open({ tty: true });
	output.table(
		["NAME", "STATE"],
		[
			["a", output.look("green", "ready")],
			["longer", "x"],
		],
	);
	assert.equal(
		out(),
		"\u001b[2mNAME    STATE\u001b[22m\na       \u001b[32mready\u001b[39m\nlonger  x\n",
	);
});

test("prose in the last column is cut to a terminal, addresses and pipes never", () => {
	const long = "x".repeat(100);
	const narrow = open({ tty: true, columns: 40, environment: { NO_COLOR: "1" } });
	narrow.output.table(["A", "B"], [["a", long]], { cut: true });
	assert.equal(narrow.out(), `A  B\na  ${"x".repeat(36)}…\n`);
	const piped = open({ columns: 40 });
	piped.output.table(["A", "B"], [["a", long]], { cut: true });
	assert.equal(piped.out(), `A  B\na  ${long}\n`);
	narrow.output.table(["A", "B"], [["a", long]]);
	assert.equal(narrow.out(), `A  B\na  ${long}\n`);
});

test("colours are for terminals that want them", () => {
	const coloured = (options: Parameters<typeof open>[0]) =>
		open(options).output.look("red", "x") !== "x";
	assert.equal(coloured({ tty: true }), true);
	assert.equal(coloured({ tty: true, environment: { NO_COLOR: "" } }), true);
	assert.equal(coloured({ tty: true, environment: { NO_COLOR: "1" } }), false);
	assert.equal(coloured({ tty: true, environment: { TERM: "dumb" } }), false);
	assert.equal(coloured({ tty: false }), false);
});

test("results go to standard output and notes to the other", () => {
	const { output, out, err } = open({});
	output.line("a");
	output.json({ b: 1 });
	output.raw("{}");
	output.raw("{}\n");
	output.note("c");
	assert.equal(out(), 'a\n{\n\t"b": 1\n}\n{}\n{}\n');
	assert.equal(err(), "c\n");
});

test("nothing a server writes can steer the terminal", () => {
	assert.equal(printable("a\u001b[31mb\u001b[0m\u0007\u202ec\td\ne\r"), "abc\td\ne");
	assert.equal(firstLine("  one\u001b[2J\r\ntwo"), "one");
	fc.assert(
		fc.property(fc.string({ unit: "binary" }), (text) => {
			assert.ok(!/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/.test(printable(text)));
		}),
	);
});

test("durations and counts read well", () => {
	const durations = [
		[12.4, "12 ms"],
		[1000, "1 s"],
		[59_999, "59 s"],
		[60_000, "1 min"],
		[3_600_000, "1 h"],
		[5_400_000, "1 h 30 min"],
		[86_400_000 + 3_600_000, "1 d 1 h"],
	] as const;
	for (const [given_ms, text] of durations) assert.equal(duration(given_ms), text);
	assert.equal(counted(1, "tool"), "1 tool");
	assert.equal(counted(0, "tool"), "0 tools");
});
