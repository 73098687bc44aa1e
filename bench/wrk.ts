import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { LoadRequest } from "./load.ts";

/** What one load came to. */
export interface LoadCount {
	readonly calls: number;
	readonly errors: number;
	readonly problem?: string;
	readonly seconds: number;
	readonly p50_ms: number;
	readonly p99_ms: number;
	readonly p999_ms: number;
}

const run = promisify(execFile);
/** No load is longer, whatever is asked for. */
const seconds_max = 30;

/** Whether wrk is here: a generator that takes a fraction of the processor that ours takes. */
export function findWrk(): boolean {
	return spawnSync("wrk", ["--version"], { stdio: "ignore" }).error === undefined;
}

/**
 * Loads a server with wrk: so many connections, each with one request under way. wrk looks at the
 * status of replies only; whoever calls this has looked at their content before.
 */
export async function loadWithWrk(
	request: LoadRequest,
	connections: number,
	run_ms: number,
): Promise<LoadCount> {
	const folder = await mkdtemp(join(tmpdir(), "moorage-wrk-"));
	const script = join(folder, "load.lua");
	const seconds = Math.min(seconds_max, Math.max(1, Math.ceil(run_ms / 1000)));
	try {
		await writeFile(script, luaScript(request));
		const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s", "-s", script];
		const { stdout } = await run("wrk", [...args, `http://127.0.0.1:${request.port}`]);
		return readCount(stdout);
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

/** The last line that the script prints, as figures. */
export function readCount(printed: string): LoadCount {
	const line = printed.trimEnd().split("\n").at(-1) ?? "";
	const parsed = JSON.parse(line) as Record<string, number>;
	const of = (name: string) => parsed[name] ?? 0;
	const errors = of("status") + of("socket");
	return {
		calls: of("requests") - of("status"),
		errors,
		...(errors === 0 ? {} : { problem: line }),
		seconds: of("duration_us") / 1e6,
		p50_ms: of("p50_us") / 1000,
		p99_ms: of("p99_us") / 1000,
		p999_ms: of("p999_us") / 1000,
	};
}

/** The first id; all ids have its number of digits, so that every request is equally long. */
const first_id = 100_000_000;

/** A program for wrk that sends this request, each time with an id of its own. */
export function luaScript({ port, path, headers, body, sessions = [] }: LoadRequest): string {
	const [before = "", after = ""] = body.split("$ID");
	const length = Buffer.byteLength(before) + String(first_id).length + Buffer.byteLength(after);
	const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
	const head =
		`POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${lines.join("")}` +
		`content-length: ${length}\r\n`;
	const begins = (sessions.length === 0 ? [""] : sessions).map(
		(id) => `${head}${id === "" ? "" : `mcp-session-id: ${id}\r\n`}\r\n${before}`,
	);
	return [
		`local begins = {${begins.map(luaText).join(",")}}`,
		`local after = ${luaText(after)}`,
		`local id, at, count = ${first_id}, 0, #begins`,
		"request = function()",
		"  id = id + 1",
		"  at = at % count + 1",
		"  return begins[at] .. id .. after",
		"end",
		"done = function(summary, latency)",
		"  local e = summary.errors",
		"  io.write(string.format(",
		`    '{"requests":%d,"duration_us":%d,"status":%d,"socket":%d,"p50_us":%d,"p99_us":%d,"p999_us":%d}\\n',`,
		"    summary.requests, summary.duration, e.status, e.connect + e.read + e.write + e.timeout,",
		"    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))",
		"end",
		"",
	].join("\n");
}

/** A string of Lua 5.1: bytes outside printable ASCII by their numbers. */
function luaText(text: string): string {
	let quoted = "";
	for (const byte of Buffer.from(text)) {
		const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
		quoted += plain ? String.fromCharCode(byte) : `\\${String(byte).padStart(3, "0")}`;
	}
	return `"${quoted}"`;
}
