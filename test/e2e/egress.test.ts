import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { connectV1 } from "../support/clients.ts";
import { startMoorage } from "../support/moorage-process.ts";
import { eventually } from "../support/processes.ts";
import { runCli } from "../support/run-cli.ts";
import { sandboxObstacle } from "../support/sandboxed.ts";
import { tempFolder } from "../support/temp-folder.ts";

const servers = fileURLToPath(new URL("../servers", import.meta.url));
const skip = await sandboxObstacle();

/** A web server on an address of this machine for which no client leaves its proxy out. */
async function startWeb(t: TestContext): Promise<string> {
	const server = createServer((_request, response) => response.end("from the web"));
	server.listen(0, "127.0.0.2");
	await once(server, "listening");
	t.after(() => server.close());
	return `127.0.0.2:${(server.address() as AddressInfo).port}`;
}

async function startReaching(t: TestContext, sandbox: object, env: object = {}) {
	const entry = { command: process.execPath, args: [join(servers, "reaching.mjs")], env };
	const config = { servers: { reaching: { ...entry, sandbox } } };
	const folder = await tempFolder(t, { "moorage.yaml": JSON.stringify(config) });
	const start = () => startMoorage(join(folder, "moorage.yaml"), join(folder, "data"));
	let moorage = await start();
	t.after(() => moorage.stop());
	const client = await connectV1(moorage.address());
	t.after(() => client.close());
	return {
		async fetch(url: string): Promise<string> {
			const answer = await client.callTool({ name: "reaching__fetch", arguments: { url } });
			return (answer.content as { text: string }[])[0]?.text ?? "";
		},
		/** As a crash of the machine would: nothing is said any more; then it is started again. */
		async killAndStart(): Promise<void> {
			await moorage.kill();
			moorage = await start();
		},
		/** Hosts in the store, whoever wrote them. */
		stored(): number {
			const database = new DatabaseSync(join(folder, "data", "moorage.db"), { readOnly: true });
			try {
				return database.prepare("select 1 from egress_hosts").all().length;
			} finally {
				database.close();
			}
		},
		async said(command: string): Promise<string> {
			const outcome = await runCli([command, "reaching", "--data", join(folder, "data")], {
				cwd: folder,
			});
			assert.equal(outcome.code, 0, outcome.stderr);
			return outcome.stdout;
		},
	};
}

test("a sandboxed server reaches what is listed, and its status shows what it wanted", {
	skip,
}, async (t) => {
	const host = await startWeb(t);
	const sandbox = { mode: "required", egress: [host], read: [servers] };
	const reaching = await startReaching(t, sandbox);
	assert.equal(await reaching.fetch(`http://${host}/`), "200 from the web");
	assert.match(await reaching.fetch("http://evil.example/"), /^failed: /);
	assert.match(await reaching.fetch("http://169.254.169.254/latest/meta-data"), /^failed: /);
	const status = await reaching.said("status");
	assert.match(status, new RegExp(`^allowed: ${host} \\(once\\)$`, "m"));
	assert.match(status, /^refused: evil\.example:80 \(once\)$/m);
	assert.match(status, /^refused: 169\.254\.169\.254:80 \(once\)$/m);
	assert.ok(status.includes(`egress: [${host}]`), status);
	assert.match(await reaching.said("logs"), /refused a connection to evil\.example:80/);

	const egress = (text: string) =>
		text.split("\n").filter((line) => /reached|refused|egress/.test(line));
	await eventually(reaching.stored, (hosts) => hosts === 3);
	await reaching.killAndStart();
	// Nobody has called it since, and it has reached nothing.
	assert.deepEqual(egress(await reaching.said("status")), egress(status));
});

test("a public network is not this machine's, and what ignores the proxy has no way", {
	skip,
}, async (t) => {
	const host = await startWeb(t);
	const sandbox = { mode: "required", egress: "public", read: [servers] };
	const reaching = await startReaching(t, sandbox);
	assert.match(await reaching.fetch(`http://${host}/`), /^failed: /);
	// For this name no client asks its proxy: it finds its own sandbox there, with nothing in it.
	const port = host.split(":")[1];
	assert.match(await reaching.fetch(`http://127.0.0.1:${port}/`), /ECONNREFUSED/);
	assert.match(await reaching.said("status"), new RegExp(`^refused: ${host} \\(once\\)$`, "m"));
});

test("a server that ignores its proxy fails closed, and its status says at what", {
	skip,
}, async (t) => {
	const host = await startWeb(t);
	const sandbox = { mode: "required", egress: [host], read: [servers] };
	const reaching = await startReaching(t, sandbox, { NODE_USE_ENV_PROXY: "0" });
	assert.match(await reaching.fetch("http://192.0.2.1:8080/"), /ENETUNREACH/);
	assert.match(await reaching.fetch("http://api.example.com/"), /ENOTFOUND|EAI_AGAIN/);
	await eventually(reaching.stored, (hosts) => hosts === 2);
	const status = await reaching.said("status");
	assert.match(status, /^past its proxy: 192\.0\.2\.1:8080 \((once|\d+ times)\)$/m);
	assert.match(status, /^past its proxy: the address of api\.example\.com \((once|\d+ times)\)$/m);
	assert.match(status, /^It has no network but its proxy.*HTTPS_PROXY/m);
	assert.match(await reaching.said("logs"), /tried 192\.0\.2\.1:8080 past its proxy/);
});
