/**
 * The server at the far end of every contender: one `echo` tool, or `--tools N` of them, over
 * standard streams or, with `--http`, over HTTP. It does as little as it can, so that what is
 * measured is what stands in front of it. `--era modern` answers `server/discover`; `--long` makes
 * definitions of about 600 bytes, `--writes` says that the tools do more than read. A call says how
 * many `bytes` its result has, how much `progress` comes before it,
 * and whether the server is to `crash` over it.
 */
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { listenFree } from "./listen-free.mjs";

const { values } = parseArgs({
	options: {
		era: { type: "string", default: "legacy" },
		tools: { type: "string", default: "1" },
		http: { type: "boolean", default: false },
		long: { type: "boolean", default: false },
		writes: { type: "boolean", default: false },
	},
});
const modern = values.era === "modern";
const complete = modern ? { resultType: "complete" } : {};
const identity = { name: "bench-echo", version: "1.0.0" };
const capabilities = { tools: {} };

const inputSchema = {
	type: "object",
	properties: { text: { type: "string", description: "What to say." } },
	required: ["text"],
};
const short_description = "Says the text again. It changes nothing and may be called at any time.";
const long_description = `${short_description} ${"It is described at some length here. ".repeat(10)}`;
const tools = Array.from({ length: Number(values.tools) }, (_, index) => ({
	name: index === 0 ? "echo" : `echo_${index}`,
	description: values.long ? long_description : short_description,
	inputSchema,
	annotations: { readOnlyHint: !values.writes },
}));
const cacheable = modern ? { ttlMs: 60_000, cacheScope: "public" } : {};
const list = JSON.stringify({ ...complete, tools, ...cacheable });

/** The raw JSON of a reply, or undefined where there is none. */
function answer(line) {
	const { id, method, params } = JSON.parse(line);
	if (id === undefined) return undefined;
	if (method === "tools/call") {
		const { text, bytes = 0, progress = 0, crash = false } = params.arguments;
		if (crash) process.exit(1);
		if (progress > 0) tellProgress(params._meta?.progressToken, progress);
		const content = [{ type: "text", text: text + fillerOf(bytes - text.length) }];
		return JSON.stringify({ jsonrpc: "2.0", id, result: { ...complete, content } });
	}
	const result = hello(method, params);
	const raw_id = JSON.stringify(id);
	return result === undefined
		? `{"jsonrpc":"2.0","id":${raw_id},"error":{"code":-32601,"message":"Method not found"}}`
		: `{"jsonrpc":"2.0","id":${raw_id},"result":${result}}`;
}

/** Made once for each length. */
const fillers = new Map();

function fillerOf(length) {
	if (length <= 0) return "";
	let filler = fillers.get(length);
	if (filler === undefined) {
		filler = "x".repeat(length);
		fillers.set(length, filler);
	}
	return filler;
}

function tellProgress(progressToken, count) {
	for (let progress = 1; progress <= count; progress += 1) {
		const params = { progressToken, progress, total: count };
		const method = "notifications/progress";
		process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", method, params })}\n`);
	}
}

function hello(method, params) {
	if (method === "tools/list") return list;
	if (method === "ping") return "{}";
	if (method === "initialize" && !modern) {
		const { protocolVersion } = params;
		return JSON.stringify({ protocolVersion, capabilities, serverInfo: identity });
	}
	if (method !== "server/discover" || !modern) return undefined;
	return JSON.stringify({
		...complete,
		...cacheable,
		supportedVersions: ["2026-07-28"],
		capabilities,
		serverInfo: identity,
		_meta: { "io.modelcontextprotocol/serverInfo": identity },
	});
}

function serveStdio() {
	let rest = "";
	// Who asked may be gone in the middle of a long answer.
	process.stdout.on("error", () => process.exit(0));
	process.stdin.setEncoding("utf8");
	process.stdin.on("data", (chunk) => {
		const lines = (rest + chunk).split("\n");
		rest = lines.pop();
		let out = "";
		for (const line of lines) {
			const reply = answer(line);
			if (reply !== undefined) out += `${reply}\n`;
		}
		if (out !== "") process.stdout.write(out);
	});
	process.stdin.on("end", () => process.exit(0));
}

function serveHttp(request, response) {
	if (request.method !== "POST") {
		response.writeHead(405, { allow: "POST" }).end();
		return;
	}
	let body = "";
	request.setEncoding("utf8");
	request.on("data", (chunk) => {
		body += chunk;
	});
	request.on("end", () => {
		const reply = answer(body);
		if (reply === undefined) {
			response.writeHead(202).end();
			return;
		}
		const headers = {
			"content-type": "application/json",
			"content-length": Buffer.byteLength(reply),
		};
		response.writeHead(200, headers).end(reply);
	});
}

if (values.http) listenFree(createServer(serveHttp));
else serveStdio();
