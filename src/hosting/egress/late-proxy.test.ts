import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { tempFolder } from "../../../test/support/temp-folder.ts";
import { startLate, writeLateProxy } from "./late-proxy.ts";

const run = promisify(execFile);

/** What a proxy was asked for; it reaches nothing. */
async function startProxy(t: TestContext): Promise<{ url: string; asked: string[] }> {
	const asked: string[] = [];
	const server = createServer((request, response) => {
		asked.push(`${request.method} ${request.url}`);
		response.end("from the proxy");
	});
	server.on("connect", (request, socket) => {
		asked.push(`CONNECT ${request.url}`);
		socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	t.after(() => server.close());
	return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** Runs a script as a server that is told of its proxy late; what it printed. */
async function runServer(
	t: TestContext,
	proxy: string,
	script: string,
	kind: "mjs" | "cjs" = "mjs",
): Promise<string> {
	const folder = await tempFolder(t);
	const late = await writeLateProxy(folder);
	assert.ok(late !== undefined);
	const file = join(folder, `server.${kind}`);
	await writeFile(file, script);
	const both = { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NO_PROXY: "localhost" };
	const { env, args } = startLate({ ...both, NODE_USE_ENV_PROXY: "1" }, late.bind.from);
	const { stdout } = await run(process.execPath, [...args, file], { env });
	return stdout.trim();
}

const loads_fetch = `process.moduleLoadList.some((name) => name.includes("undici"))`;

test("a server that does not use fetch never loads it, and has its variables", async (t) => {
	const script = `console.log(JSON.stringify([${loads_fetch}, typeof fetch, process.env]))`;
	for (const kind of ["mjs", "cjs"] as const) {
		const said = await runServer(t, "http://127.0.0.1:1", script, kind);
		const [is_loaded, type, env] = JSON.parse(said) as [boolean, string, object];
		assert.equal(is_loaded, false);
		assert.equal(type, "function");
		assert.deepEqual(env, {
			HTTP_PROXY: "http://127.0.0.1:1",
			HTTPS_PROXY: "http://127.0.0.1:1",
			NO_PROXY: "localhost",
			NODE_USE_ENV_PROXY: "1",
		});
	}
});

const uses: Readonly<Record<string, readonly [script: string, asked: RegExp]>> = {
	fetch: [`await fetch("http://site.invalid/").catch(() => {})`, /^CONNECT site\.invalid:80$/],
	"fetch after a class of its own": [
		`new Headers(); await fetch("http://site.invalid/").catch(() => {})`,
		/^CONNECT site\.invalid:80$/,
	],
	"fetch with a request a moment later": [
		`const request = new Request("http://site.invalid/");
		await new Promise((resolve) => setTimeout(resolve, 20));
		await fetch(request).catch(() => {})`,
		/^CONNECT site\.invalid:80$/,
	],
	"the HTTP client": [
		`const { get } = await import("node:http");
		await new Promise((resolve) => get("http://site.invalid/a", (r) => r.resume().on("end", resolve)))`,
		/^GET http:\/\/site\.invalid\/a$/,
	],
	"the HTTPS client": [
		`const { get } = await import("node:https");
		await new Promise((resolve) => get("https://site.invalid/").on("error", resolve))`,
		/^CONNECT site\.invalid:443$/,
	],
	"a WebSocket": [
		`await new Promise((resolve) => new WebSocket("ws://site.invalid/").onerror = resolve)`,
		/^CONNECT site\.invalid:80$/,
	],
	"undici of npm": [
		`const { request } = await import(${JSON.stringify(pathToFileURL(join(process.cwd(), "node_modules/undici/index.js")))});
		await request("http://site.invalid/").catch(() => {})`,
		/^CONNECT site\.invalid:80$/,
	],
	"a program that it starts": [
		`const { execFileSync } = await import("node:child_process");
		execFileSync(process.execPath, ["-e", 'fetch("http://site.invalid/").catch(() => {})'])`,
		/^CONNECT site\.invalid:80$/,
	],
	"a thread of its own": [
		`const { Worker } = await import("node:worker_threads");
		const worker = new Worker('fetch("http://site.invalid/").catch(() => {})', { eval: true });
		await new Promise((resolve) => worker.on("exit", resolve))`,
		/^CONNECT site\.invalid:80$/,
	],
};

for (const [what, [script, expected]] of Object.entries(uses)) {
	test(`the proxy is used by ${what}`, async (t) => {
		const { url, asked } = await startProxy(t);
		await runServer(t, url, script);
		assert.equal(asked.length, 1, asked.join());
		assert.match(asked[0] ?? "", expected);
	});
}

test("what a server puts in the place of fetch stays there", async (t) => {
	const script = `globalThis.fetch = () => "mine"; globalThis.WebSocket = "mine too";
		new Headers();
		await new Promise((resolve) => setTimeout(resolve, 20));
		console.log(fetch(), WebSocket)`;
	assert.equal(await runServer(t, "http://127.0.0.1:1", script), "mine mine too");
});

test("nobody but the gateway's user may change the module", async (t) => {
	const late = await writeLateProxy(await tempFolder(t));
	assert.match(await readFile(late?.bind.from ?? "", "utf8"), /^"use strict";/);
});
