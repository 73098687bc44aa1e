import assert from "node:assert/strict";
import { test } from "node:test";
import { repository_root } from "./lib/paths.ts";
import { formatProblems } from "./lib/problem.ts";
import { tempTree } from "./lib/temp-tree.ts";
import { checkSinks, writes } from "./sinks.ts";

const nothing = { sinks: [], plumbing: [] };

test("whatever writes in this repository is in the list of sinks", () => {
	assert.equal(formatProblems(checkSinks(repository_root)), "");
});

for (const text of [
	`import { writeFile } from "node:fs/promises";`,
	`import { appendFileSync as a } from "node:fs";`,
	`import * as fs from "node:fs";`,
	`import fs from "node:fs";`,
	`import { type Stats, createWriteStream } from "node:fs";`,
	`import { request } from "undici";`,
	`import Agent from "undici/lib/dispatcher/agent.js";`,
	`import { HttpAgent } from "../lib/http-agent.ts";`,
	`const { Pool } = await import("../../lib/http-client.ts");`,
	`import { node_http } from "../lib/node-http.ts";`,
	`import { connect } from "node:net";`,
	`import type { ServerResponse } from "node:http";`,
	`import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";`,
	`import { guardedFetch } from "../lib/guarded-fetch.ts";`,
	`process.stdout.write("x");`,
	`const { stderr } = process;`,
	`await fetch("https://example.com");`,
	`await globalThis.fetch("https://example.com");`,
	`globalThis["fetch"]("https://example.com");`,
	`const { writeFile } = await import("node:fs/promises");`,
	`const module = await import(name);`,
	`export { writeFile } from "node:fs/promises";`,
	`export * from "node:fs/promises";`,
	`import { writeFile } from "fs/promises";`,
	`import { promises } from "node:fs";`,
	`import { copyFile } from "node:fs/promises";`,
	`import { cpSync } from "node:fs";`,
	`import { spawn } from "node:child_process";`,
	`import { Worker } from "node:worker_threads";`,
	`import { writeHeapSnapshot } from "node:v8";`,
	`import { createRequire } from "node:module";`,
	`import process from "node:process";`,
	`console.log("x");`,
	`fetch.call(undefined, "x");`,
	`console["log"]("x");`,
	`new WebSocket("ws://example.com");`,
	`process["stdout"].write("x");`,
	`process[name].write("x");`,
	`globalThis.process.stdout.write("x");`,
	`const own = process;`,
	`const { [name]: out } = process;`,
	`process.report.writeReport("x");`,
	`process.getBuiltinModule("node:fs").writeFileSync("x", "y");`,
	`process.emitWarning("x");`,
]) {
	test(`a file writes that says: ${text}`, () => assert.equal(writes("src/a.ts", text), true));
}

for (const text of [
	`import { readFile, stat } from "node:fs/promises";`,
	`import type { Dispatcher } from "undici";`,
	`import { isIP } from "node:net";`,
	`const fetch = 1; export const { stdout } = context;`,
	`import type { IncomingMessage } from "node:http";`,
	`import type { ChildProcess } from "node:child_process";`,
	`const { pid, env } = process; process.exitCode = 1;`,
	`const own = await import("./other.ts");`,
	`export const sizeOf = (fetch: { size: number }) => fetch.size;`,
	`const answer = await options.fetch("x"); options.console.log("x");`,
]) {
	test(`a file does not write that says: ${text}`, () =>
		assert.equal(writes("src/a.ts", text), false));
}

test("a file that writes outside every sink is found, one in a sink or in plumbing is not", (t) => {
	const writer = `import { writeFile } from "node:fs/promises"; export { writeFile };`;
	const root = tempTree(t, {
		"src/calls/log.ts": writer,
		"src/calls/log.test.ts": writer,
		"src/calls/other.ts": writer,
		"src/lib/keys.ts": writer,
		"src/dashboard/page.ts": `await fetch("/api");`,
	});
	const found = checkSinks(root, {
		sinks: [{ name: "log", about: "", files: ["src/calls/log.ts"], guard: { reason: "" } }],
		plumbing: [{ files: ["src/lib/keys.ts"], why: "" }],
	});
	assert.deepEqual(
		found.map(({ file }) => file),
		["src/calls/other.ts"],
	);
});

test("an entry that nothing belongs to is found", (t) => {
	const root = tempTree(t, { "src/lib/a.ts": "export const a = 1;" });
	const [found] = checkSinks(root, { ...nothing, plumbing: [{ files: ["src/b.ts"], why: "" }] });
	assert.match(found?.message ?? "", /src\/b\.ts/);
});

test("a room is no entry: whatever is added to it writes unseen", (t) => {
	const root = tempTree(t, { "src/calls/log.ts": `console.log("x");` });
	const found = checkSinks(root, { ...nothing, plumbing: [{ files: ["src/calls/**"], why: "" }] });
	assert.deepEqual(
		found.map(({ message }) => /name it in|name single files/.exec(message)?.[0]),
		["name it in", "name single files"],
	);
});

test("a sink is redacted by a file that has a redactor, or the check fails", (t) => {
	const root = tempTree(t, {
		"src/secrets/redactor.ts": "export interface Redactor {}",
		"src/calls/with.ts": `import type { Redactor } from "../secrets/redactor.ts"; let r: Redactor;`,
		"src/calls/without.ts": "export const a = 1;",
	});
	const sinkOf = (redacts: string) => ({
		...nothing,
		sinks: [{ name: "log", about: "", files: [], guard: { redacts } } as const],
	});
	assert.deepEqual(checkSinks(root, sinkOf("src/calls/with.ts")), []);
	assert.equal(checkSinks(root, sinkOf("src/calls/without.ts")).length, 1);
	assert.equal(checkSinks(root, sinkOf("src/calls/absent.ts")).length, 1);
});
