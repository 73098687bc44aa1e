import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import type { FrontPlan } from "../config/plan-front.ts";
import { Arrivals } from "./arrival.ts";

const front: FrontPlan = {
	public_url: "https://mcp.example.com",
	trusted_proxies: ["10.0.0.0/8", "127.0.0.1", "fd00::/8"],
	tls: undefined,
};

/** A request as it stands on a connection from an address. */
function from(address: string, headers: Record<string, string> = {}): IncomingMessage {
	const socket = new Socket();
	Object.defineProperty(socket, "remoteAddress", { value: address });
	return { socket, headers: { host: "127.0.0.1:8642", ...headers } } as unknown as IncomingMessage;
}

const forwarded = { "x-forwarded-host": "mcp.example.com", "x-forwarded-for": "203.0.113.9" };

test("what a trusted proxy says of its client is believed", () => {
	const arrivals = new Arrivals(front);
	for (const proxy of ["10.1.2.3", "127.0.0.1", "fd00::1", "::ffff:10.1.2.3"]) {
		const request = from(proxy, forwarded);
		assert.deepEqual(arrivals.of(request), {
			host: "mcp.example.com",
			base: "https://mcp.example.com",
			is_encrypted: true,
			is_local: false,
		});
		assert.equal(arrivals.clientAddress(request), "203.0.113.9");
	}
});

test("what anybody else says of somebody is not", () => {
	const arrivals = new Arrivals(front);
	for (const peer of ["192.0.2.1", "11.0.0.1", "::1", "fe80::1", ""]) {
		const request = from(peer, { ...forwarded, forwarded: "for=203.0.113.9;host=mcp.example.com" });
		assert.equal(arrivals.of(request).host, "127.0.0.1:8642", peer);
		assert.equal(arrivals.clientAddress(request), peer);
	}
	const nobody = new Arrivals({ ...front, trusted_proxies: [] });
	assert.equal(nobody.of(from("127.0.0.1", forwarded)).host, "127.0.0.1:8642");
});

test("TLS in front means a public address of https and a proxy that is trusted, and no less", () => {
	const host = "mcp.example.com";
	const isEncrypted = (plan: Partial<FrontPlan>, peer: string, headers = {}) =>
		new Arrivals({ ...front, ...plan }).of(from(peer, headers)).is_encrypted;
	assert.equal(isEncrypted({}, "10.1.2.3", { host }), true);
	assert.equal(isEncrypted({}, "192.0.2.1", { host }), false);
	assert.equal(isEncrypted({}, "192.0.2.1", { "x-forwarded-proto": "https" }), false);
	// A proxy on this machine that is not named looks like a program that names the public host.
	assert.equal(isEncrypted({ trusted_proxies: [] }, "127.0.0.1", { host }), false);
	assert.equal(
		isEncrypted({ trusted_proxies: [] }, "127.0.0.1", { host: host.toUpperCase() }),
		false,
	);
	assert.equal(isEncrypted({ trusted_proxies: [] }, "127.0.0.1"), true);
	assert.equal(isEncrypted({ public_url: undefined, trusted_proxies: [] }, "127.0.0.1"), true);
});

test("without a public address the base is what the client names", () => {
	const arrivals = new Arrivals({ ...front, public_url: undefined, trusted_proxies: [] });
	for (const host of ["localhost:8642", "localhost:8642", "127.0.0.1:8642", "localhost:8642"]) {
		assert.equal(arrivals.of(from("127.0.0.1", { host })).base, `http://${host}`);
	}
});

test("a chain of proxies is followed from its end, as far as it is trusted", () => {
	const arrivals = new Arrivals(front);
	const client = (headers: Record<string, string>) =>
		arrivals.clientAddress(from("10.0.0.1", headers));
	assert.equal(client({ "x-forwarded-for": "1.1.1.1, 203.0.113.9, 10.9.9.9" }), "203.0.113.9");
	assert.equal(client({ "x-forwarded-for": "203.0.113.9:1234" }), "203.0.113.9");
	assert.equal(client({ forwarded: 'for="[2001:db8::7]:4711";proto=https' }), "2001:db8::7");
	assert.equal(client({ forwarded: "For=203.0.113.9, for=10.2.3.4" }), "203.0.113.9");
	// Nothing that the proxy itself did not add.
	assert.equal(client({ "x-forwarded-for": "203.0.113.9", forwarded: "for=1.1.1.1" }), "10.0.0.1");
	assert.equal(client({ forwarded: "for=unknown" }), "10.0.0.1");
	assert.equal(client({ "x-forwarded-for": "garbage" }), "10.0.0.1");
	assert.equal(client({ "x-forwarded-for": "10.2.2.2" }), "10.0.0.1");
	assert.equal(client({}), "10.0.0.1");
});

test("whatever headers there are, a request has a place", () => {
	const arrivals = new Arrivals(front);
	const header = fc.oneof(fc.string(), fc.stringMatching(/^(for|host|;|,|=|"|\[|\]|[0-9a-f.:])*$/));
	fc.assert(
		fc.property(header, header, header, (usual, standard, host) => {
			const headers = { "x-forwarded-for": usual, forwarded: standard, "x-forwarded-host": host };
			const request = from("10.0.0.1", headers);
			assert.equal(arrivals.of(request).base, "https://mcp.example.com");
			assert.equal(typeof arrivals.clientAddress(request), "string");
		}),
	);
});
