import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { type TestCertificate, TestCertificates } from "../support/certificates.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { startTokenIssuer, type TokenIssuer } from "../support/token-issuer.ts";
import { until } from "../support/until.ts";

let folder: string;
let makes: TestCertificates;
let ca: TestCertificate;
let agent: TestCertificate;
let gateway: TestGateway;
let issuer: TokenIssuer;
let port: number;
const key = newApiKey(systemRandom);

before(async () => {
	folder = await mkdtemp(join(tmpdir(), "moorage-tls-"));
	makes = new TestCertificates(folder);
	[ca, issuer, port] = await Promise.all([makes.authority("ca"), startTokenIssuer(), freePort()]);
	const server = await makes.signed("server", ca);
	agent = await makes.signed("agent", ca, ["URI:spiffe://mesh/agent", "DNS:agent.internal"]);
	await Promise.all([
		copyFile(server.cert_path, join(folder, "live.pem")),
		copyFile(server.key_path, join(folder, "live-key.pem")),
	]);
	gateway = await startGateway(
		{
			listen: `127.0.0.1:${port}`,
			public_url: `https://localhost:${port}`,
			tls: {
				cert: join(folder, "live.pem"),
				key: join(folder, "live-key.pem"),
				client_ca: ca.cert_path,
			},
			identity: {
				issuer: issuer.issuer,
				keys: [{ name: "ci", hash: `sha256:${hashApiKey(key)}`, tenant: "acme", user: "ci" }],
				certificates: [
					{
						name: "mesh agent",
						alternative_name: "URI:spiffe://mesh/agent",
						tenant: "acme",
						user: "agent",
					},
				],
			},
			servers: { echo: stdioFixture("sdk-v1-stdio") },
		},
		{ folder: await mkdtemp(join(folder, "gateway-")) },
	);
});

after(async () => {
	await gateway?.stop();
	await issuer?.close();
	await rm(folder, { recursive: true, force: true });
});

/** A port that nobody listens on: the public address has to be known before the start. */
async function freePort(): Promise<number> {
	const probe = createServer();
	await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
	const { port: found } = probe.address() as AddressInfo;
	await new Promise((resolve) => probe.close(resolve));
	return found;
}

const initialize = JSON.stringify({
	jsonrpc: "2.0",
	id: 1,
	method: "initialize",
	params: {
		protocolVersion: "2025-11-25",
		capabilities: {},
		clientInfo: { name: "tls-test", version: "1" },
	},
});

interface Sent {
	readonly headers?: Record<string, string>;
	readonly client?: TestCertificate;
	readonly body?: string;
}

/** Posts over TLS, as a client that trusts our authority. */
function post({ headers = {}, client, body = initialize }: Sent = {}) {
	return new Promise<{ status: number; text: string; session: string; challenge: string }>(
		(resolve, reject) => {
			const sent = request(
				`https://localhost:${port}/echo/mcp`,
				{
					method: "POST",
					agent: false,
					ca: ca.cert,
					...(client === undefined ? {} : { cert: client.cert, key: client.key }),
					headers: {
						"content-type": "application/json",
						accept: "application/json, text/event-stream",
						...headers,
					},
				},
				(response) => {
					const chunks: Buffer[] = [];
					response.on("data", (chunk: Buffer) => chunks.push(chunk));
					response.on("end", () =>
						resolve({
							status: response.statusCode ?? 0,
							text: Buffer.concat(chunks).toString(),
							session: String(response.headers["mcp-session-id"] ?? ""),
							challenge: response.headers["www-authenticate"] ?? "",
						}),
					);
				},
			);
			sent.once("error", reject);
			sent.end(body);
		},
	);
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Fingerprint of the certificate that new connections are served with. */
function served(): Promise<string> {
	return new Promise((resolve, reject) => {
		const socket = connectTls({ port, host: "127.0.0.1", servername: "localhost", ca: ca.cert });
		socket.once("secureConnect", () => {
			resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? "");
			socket.destroy();
		});
		socket.once("error", reject);
	});
}

test("keys and tokens are taken over TLS, and challenges name the public address", async () => {
	assert.equal((await post({ headers: bearer(key) })).status, 200);
	const { status, challenge } = await post();
	assert.equal(status, 401);
	assert.match(challenge, new RegExp(`resource_metadata="https://localhost:${port}/`));
	const token = await issuer.token(`https://localhost:${port}/echo/mcp`);
	assert.equal((await post({ headers: bearer(token) })).status, 200);
});

test("a client certificate says who calls, for the whole connection and session", async () => {
	const opened = await post({ client: agent });
	assert.equal(opened.status, 200);
	const list = '{"jsonrpc":"2.0","id":2,"method":"tools/list"}';
	const headers = { "mcp-session-id": opened.session };
	assert.equal((await post({ client: agent, headers, body: list })).status, 200);
	assert.equal((await post({ headers: { ...headers, ...bearer(key) }, body: list })).status, 404);
});

test("a certificate of nobody, or of another authority, lets nobody in", async () => {
	const stranger = await makes.signed("stranger", ca, ["URI:spiffe://mesh/agent2"]);
	const unknown = await post({ client: stranger });
	assert.equal(unknown.status, 401);
	assert.match(unknown.text, /certificate_unknown/);
	const other = await makes.authority("other-ca");
	const forged = await makes.signed("forged", other, ["URI:spiffe://mesh/agent"]);
	const refused = await post({ client: forged });
	assert.equal(refused.status, 401);
	assert.match(refused.text, /credential_missing/);
	const tricky = await makes.signed("tricky", ca, ["DNS:a.internal", "email:x@example.com"]);
	assert.match((await post({ client: tricky })).text, /certificate_unknown/);
});

test("a token that is bound to a certificate is good over connections with it", async () => {
	const thumbprint = Buffer.from(
		new X509Certificate(agent.cert).fingerprint256.replaceAll(":", ""),
		"hex",
	).toString("base64url");
	const claims = { cnf: { "x5t#S256": thumbprint } };
	const token = await issuer.token(`https://localhost:${port}/echo/mcp`, { claims });
	assert.equal((await post({ headers: bearer(token), client: agent })).status, 200);
	const without = await post({ headers: bearer(token) });
	assert.match(without.text, /token_binding/);
});

test("whoever speaks without TLS, or TLS of old, is cut off and disturbs nobody", async () => {
	const answer = await new Promise<string>((resolve) => {
		const socket = connect(port, "127.0.0.1", () =>
			socket.write("GET /mcp HTTP/1.1\r\nHost: a\r\n\r\n"),
		);
		let heard = "";
		socket.on("data", (chunk) => {
			heard += (chunk as Buffer).toString();
		});
		socket.on("close", () => resolve(heard));
		socket.on("error", () => undefined);
	});
	assert.ok(!answer.includes("HTTP/1.1 2"), answer);
	await assert.rejects(
		new Promise((resolve, reject) => {
			const old = { port, host: "127.0.0.1", ca: ca.cert, servername: "localhost" } as const;
			const socket = connectTls({
				...old,
				minVersion: "TLSv1",
				maxVersion: "TLSv1.1",
				ciphers: "ALL:@SECLEVEL=0",
			});
			socket.once("secureConnect", resolve);
			socket.once("error", reject);
		}),
	);
	assert.equal((await post({ headers: bearer(key) })).status, 200);
});

test("programs on this machine have an address without TLS, which is for them alone", async () => {
	assert.match(gateway.url, /^http:\/\/127\.0\.0\.1:\d+$/);
	assert.notEqual(new URL(gateway.url).port, String(port));
	const response = await fetch(gateway.address("echo"), {
		method: "POST",
		headers: {
			...bearer(key),
			"content-type": "application/json",
			accept: "application/json, text/event-stream",
		},
		body: initialize,
	});
	assert.equal(response.status, 200);
	await response.text();
});

test("certificates are read again when their files change, and broken ones are not taken", async () => {
	const first = await served();
	const next = await makes.signed("next", ca);
	await writeFile(join(folder, "live.pem"), "broken");
	await until(() =>
		gateway.log.lines.some(({ message }) => message === "the new TLS files were refused"),
	);
	assert.equal(await served(), first);
	await copyFile(next.key_path, join(folder, "live-key.pem"));
	await copyFile(next.cert_path, join(folder, "live.pem"));
	const wanted = new X509Certificate(next.cert).fingerprint256;
	while ((await served()) !== wanted) {}
	assert.equal((await post({ headers: bearer(key) })).status, 200);
});

test("a gateway whose certificates do not fit does not start, and says what to do", async () => {
	const other = await makes.signed("unrelated", ca);
	const start = (tls: object) =>
		startGateway({ tls, identity: {}, servers: {} }).then(
			(started) => started.stop().then(() => "started"),
			(error: Error) => error.message,
		);
	const { cert_path: cert } = other;
	const missing = await start({ cert, key: join(folder, "nothing.pem") });
	assert.match(missing, /nothing\.pem cannot be read \(ENOENT\).*Correct `tls`/);
	assert.match(await start({ cert, key: agent.key_path }), /the key is another certificate's/);
	const key_path = other.key_path;
	assert.match(await start({ cert, key: key_path, client_ca: key_path }), /no certificate/);
	assert.match(await start({ cert: key_path, key: key_path }), /do not fit/);
});
