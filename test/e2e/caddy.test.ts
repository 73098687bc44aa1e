import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startGateway, stdioFixture } from "../support/gateway.ts";
import { startTokenIssuer } from "../support/token-issuer.ts";

const caddyfile = fileURLToPath(new URL("../../deploy/caddy/moorage.caddyfile", import.meta.url));
const has_caddy = spawnSync("caddy", ["version"]).status === 0;

const initialize = JSON.stringify({
	jsonrpc: "2.0",
	id: 1,
	method: "initialize",
	params: {
		protocolVersion: "2025-11-25",
		capabilities: {},
		clientInfo: { name: "caddy-test", version: "1" },
	},
});

test("the example for Caddy serves Moorage over TLS, and only what comes through it", {
	skip: has_caddy ? false : "caddy is not installed",
}, async (t) => {
	const folder = await mkdtemp(join(tmpdir(), "moorage-caddy-"));
	t.after(() => rm(folder, { recursive: true, force: true }));
	const [port, inner] = await Promise.all([freePort(), freePort()]);
	const public_url = `https://localhost:${port}`;
	const issuer = await startTokenIssuer();
	t.after(() => issuer.close());
	const gateway = await startGateway({
		listen: `127.0.0.1:${inner}`,
		public_url,
		trusted_proxies: ["127.0.0.1"],
		identity: { issuer: issuer.issuer },
		servers: { echo: stdioFixture("sdk-v1-stdio") },
	});
	t.after(() => gateway.stop());
	const example = await readFile(caddyfile, "utf8");
	const here = example
		.replace(/^mcp\.example\.com \{/m, `localhost:${port} {\n\ttls internal`)
		.replace("127.0.0.1:8642", `127.0.0.1:${inner}`);
	const options = "{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n}\n";
	await writeFile(join(folder, "Caddyfile"), options + here);
	await startCaddy(folder, t);
	const ca = await readFile(join(folder, "caddy/pki/authorities/local/root.crt"));

	const post = (path: string, headers: Record<string, string>) =>
		new Promise<{ status: number; challenge: string; text: string }>((resolve, reject) => {
			const options = { method: "POST", agent: false, ca, headers };
			const sent = request(public_url + path, options, (response) => {
				const chunks: Buffer[] = [];
				response.on("data", (chunk: Buffer) => chunks.push(chunk));
				response.on("end", () =>
					resolve({
						status: response.statusCode ?? 0,
						challenge: response.headers["www-authenticate"] ?? "",
						text: Buffer.concat(chunks).toString(),
					}),
				);
			});
			sent.once("error", reject);
			sent.end(initialize);
		});
	const headers = {
		"content-type": "application/json",
		accept: "application/json, text/event-stream",
	};
	const nobody = await post("/echo/mcp", headers);
	assert.equal(nobody.status, 401);
	const metadata = `${public_url}/.well-known/oauth-protected-resource/echo/mcp`;
	assert.equal(nobody.challenge, `Bearer resource_metadata="${metadata}"`);
	const authorization = `Bearer ${await issuer.token(`${public_url}/echo/mcp`)}`;
	assert.equal((await post("/echo/mcp", { ...headers, authorization })).status, 200);
	const forged = { ...headers, authorization, "x-forwarded-host": "evil.example.com" };
	assert.notEqual((await post("/echo/mcp", forged)).status, 500);
	assert.equal((await post("/api/overview", headers)).status, 404, "the admin API stays here");
});

/** Said once it listens, and once it has the certificate that it serves with. */
const readiness = ["serving initial configuration", "certificate obtained successfully"];

/** Runs Caddy until the test is over; resolves once it serves. */
async function startCaddy(folder: string, t: { after(fn: () => Promise<void>): void }) {
	const words = ["run", "--adapter", "caddyfile", "--config", join(folder, "Caddyfile")];
	const env = { ...process.env, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder, HOME: folder };
	const caddy = spawn("caddy", words, { env, stdio: ["ignore", "ignore", "pipe"] });
	const exited = new Promise<void>((resolve) => caddy.once("exit", () => resolve()));
	t.after(() => {
		caddy.kill("SIGTERM");
		return exited;
	});
	const said: string[] = [];
	for await (const line of createInterface({ input: caddy.stderr })) {
		said.push(line);
		if (readiness.every((text) => said.some((one) => one.includes(text)))) {
			caddy.stderr.resume();
			return;
		}
	}
	throw new Error(said.join("\n"));
}

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
	const probe = createServer();
	await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
	const { port } = probe.address() as AddressInfo;
	await new Promise((resolve) => probe.close(resolve));
	return port;
}
