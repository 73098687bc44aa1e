import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { MemoryLog } from "../../test/support/memory-log.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { makeFault } from "../protocol/fault.ts";
import { redacted, SecretRedactor } from "../secrets/redactor.ts";
import { type LogOptions, logFault, openLog, type RootLog } from "./log.ts";

const program = fileURLToPath(new URL("../../test/support/log-child.ts", import.meta.url));

let folder: string;
let file: string;
let log: RootLog | undefined;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "moorage-log-"));
	file = join(folder, "gateway.log");
});
afterEach(async () => {
	await log?.close();
	await rm(folder, { recursive: true });
});

function open(options: Partial<LogOptions> = {}): RootLog {
	const redactor = new SecretRedactor();
	log = openLog({ clock: new FakeClock(), level: "debug", file, redactor, ...options });
	return log;
}

async function lines(): Promise<Record<string, unknown>[]> {
	await log?.flush();
	const text = readFileSync(file, "utf8");
	return text
		.split("\n")
		.slice(0, -1)
		.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("the log", () => {
	it("writes one JSON object a line: level, time, fields, message", async () => {
		open().warn({ server: "git", tries: 3 }, "a server is slow");
		assert.deepEqual(await lines(), [
			{
				level: "warn",
				time: "2026-01-01T00:00:00.000Z",
				server: "git",
				tries: 3,
				message: "a server is slow",
			},
		]);
	});

	it("writes lines of its level and louder ones only", async () => {
		const quiet = open({ level: "warn" });
		for (const level of ["debug", "info", "warn", "error"] as const) quiet[level]({}, level);
		assert.deepEqual(
			(await lines()).map((line) => line["message"]),
			["warn", "error"],
		);
	});

	it("writes nothing when it is silent", async () => {
		open({ level: "silent" }).error({}, "unheard");
		assert.deepEqual(await lines(), []);
	});

	it("gives a child's fields to each of its lines, the line's own first", async () => {
		const child = open().child({ server: "git", scope: "a" }).child({ scope: "b" });
		child.info({ n: 1 }, "one");
		child.info({ scope: "c" }, "two");
		log?.info({}, "three");
		await child.flush();
		const text = readFileSync(file, "utf8");
		assert.equal(text.match(/"scope"/g)?.length, 2);
		assert.deepEqual(
			(await lines()).map((line) => [line["server"], line["scope"]]),
			[
				["git", "b"],
				["git", "c"],
				[undefined, undefined],
			],
		);
	});

	it("masks secrets in fields, in a child's fields and in the message", async () => {
		const child = open().child({ headers: { Authorization: "Bearer s3cret" } });
		child.error({ env: { GITHUB_TOKEN: "s3cret" } }, "no answer from http://me:s3cret@host/");
		await child.flush();
		assert.doesNotMatch(readFileSync(file, "utf8"), /s3cret/);
	});

	it("holds no known value, whether in a name, a number or half a thought", async () => {
		const redactor = new SecretRedactor();
		for (const value of ["known-s3cret", "83920174"]) redactor.add(value);
		const log = open({ redactor });
		log.info({ "x-known-s3cret": 1, pin: 183920174, n: 5 }, "is it known-s3cret?");
		log.child({ a: "known-s3cret" }).info({}, "83920174");
		const [first, second] = await lines();
		assert.deepEqual(
			[first?.[`x-${redacted}`], first?.["pin"], first?.["n"], first?.["message"]],
			[1, redacted, 5, `is it ${redacted}?`],
		);
		assert.deepEqual([second?.["a"], second?.["message"]], [redacted, redacted]);
	});

	it("writes messages and fields as they are, without formatting them", async () => {
		open().info({ text: "100% %s" }, "50% of %d %j");
		const [line] = await lines();
		assert.equal(line?.["message"], "50% of %d %j");
		assert.equal(line?.["text"], "100% %s");
	});

	it("survives fields that cannot be written", async () => {
		const cyclic: Record<string, unknown> = { big: 1n };
		cyclic["self"] = cyclic;
		open().info({ cyclic }, "written");
		const request = { method: "GET", headers: { cookie: "s3cret" }, socket: {} };
		log?.info(request, "a request");
		assert.deepEqual(
			(await lines()).map((line) => line["message"]),
			["written", "a request"],
		);
		assert.doesNotMatch(readFileSync(file, "utf8"), /s3cret/);
	});

	it("keeps everything on one line", async () => {
		open().info({ text: "a\nb\u2028c" }, "one\r\ntwo");
		assert.equal((await lines()).length, 1);
	});

	it("writes for people to a file too, when told to", async () => {
		open({ format: "pretty" }).warn({ server: "git" }, "a server is slow");
		await log?.flush();
		assert.match(
			readFileSync(file, "utf8"),
			/^\d\d:\d\d:\d\d WARN {2}a server is slow {2}server=git\n$/,
		);
	});

	it("throws when its file cannot be opened", () => {
		assert.throws(() => open({ file: join(folder, "missing", "x.log") }), { code: "ENOENT" });
		log = undefined;
	});
});

describe("a fault in the log", () => {
	const fault = makeFault(new SeededRandom(1), {
		code: "server_exited",
		message: "The server git exited.",
		detail: "exit code 1",
		level: "warn",
		server: "git",
		retry_safe: false,
	});

	it("is written at its level, with the id its receiver was told and its detail", () => {
		const memory = new MemoryLog();
		logFault(memory, fault, { request_id: "r1" });
		assert.deepEqual(memory.lines, [
			{
				level: "warn",
				fields: {
					request_id: "r1",
					code: "server_exited",
					error_id: fault.id,
					server: "git",
					retry_safe: false,
					detail: "exit code 1",
				},
				message: "The server git exited.",
			},
		]);
	});

	it("reaches the file with its id", async () => {
		logFault(open().child({ endpoint: "all" }), fault);
		const [line] = await lines();
		assert.equal(line?.["error_id"], fault.id);
		assert.equal(line?.["endpoint"], "all");
	});
});

describe("the log of a process", () => {
	async function run(format: string, level: string): Promise<string> {
		const child = spawn(process.execPath, [program, format, level], {
			stdio: ["ignore", "ignore", "pipe"],
		});
		const exited = once(child, "exit");
		let text = "";
		for await (const chunk of child.stderr) text += String(chunk);
		assert.deepEqual(await exited, [0, null]);
		return text;
	}

	it("goes to stderr as JSON where that is no terminal", async () => {
		const said = (await run("auto", "info")).trim().split("\n");
		assert.equal(said.length, 2);
		const first = JSON.parse(said[0] as string) as Record<string, unknown>;
		assert.equal(first["server"], "git");
		assert.equal(first["token"], "[redacted]");
	});

	it("goes to stderr for people when told to, without colours where that is no terminal", async () => {
		const said = await run("pretty", "debug");
		assert.match(said, /DEBUG a debug line {2}n=1\n/);
		assert.doesNotMatch(said, /\u001b/);
	});
});
