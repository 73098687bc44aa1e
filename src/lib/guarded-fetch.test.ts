import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { type TestCertificate, TestCertificates } from "../../test/support/certificates.ts";
import { startNameServer } from "../../test/support/name-server.ts";
import { private_addresses } from "../../test/support/private-addresses.ts";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { systemClock } from "./clock.ts";
import { guardedFetch, RefusedAddress } from "./guarded-fetch.ts";

const clock = systemClock;

async function serve(t: TestContext, listener: RequestListener): Promise<number> {
	const server = createServer(listener);
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	t.after(() => {
		server.closeAllConnections();
		server.close();
	});
	return (server.address() as AddressInfo).port;
}

for (const near of [undefined, "https://8.8.8.8/mcp"]) {
	const named = near === undefined ? "a caller" : "a server elsewhere";
	test(`${named} cannot make Moorage ask this machine or its network`, async () => {
		const fetch = guardedFetch({ near, clock });
		for (const url of private_addresses) await assert.rejects(fetch(url), RefusedAddress, url);
	});
}

test("a server of a private network does not lead to this machine or to link-local addresses", async () => {
	const fetch = guardedFetch({ near: "https://10.0.0.1/mcp", clock });
	for (const url of ["https://127.0.0.1/", "https://localhost/", "https://169.254.169.254/"]) {
		await assert.rejects(fetch(url), RefusedAddress, url);
	}
});

test("a name is refused when any of its addresses is", async (t) => {
	const names = await startNameServer((name) => {
		if (name.startsWith("mixed")) return ["8.8.8.8", "127.0.0.1"];
		if (name.startsWith("six")) return ["fd00:ec2::254"];
		return ["169.254.169.254"];
	});
	t.after(() => names.close());
	const fetch = guardedFetch({ clock, resolve: names.resolve });
	for (const name of ["mixed", "six", "meta"]) {
		await assert.rejects(fetch(`https://${name}.example.com/`), RefusedAddress, name);
	}
	assert.deepEqual(names.asked, ["mixed.example.com", "six.example.com", "meta.example.com"]);
});

test("a name that leads elsewhere the second time is refused then", async (t) => {
	const port = await serve(t, (request, response) => response.end(request.headers.host));
	const names = await startNameServer((_, turn) => [turn === 0 ? "127.0.0.1" : "169.254.169.254"]);
	t.after(() => names.close());
	// Near this machine, so that the first address is one that answers here.
	const fetch = guardedFetch({ near: "http://127.0.0.1/", clock, resolve: names.resolve });
	const url = `http://rebinding.localhost:${port}/`;
	assert.equal(await (await fetch(url)).text(), `rebinding.localhost:${port}`);
	assert.equal(names.asked.length, 1, "what was checked is what was connected to");
	await assert.rejects(fetch(url), RefusedAddress);
	assert.equal(names.asked.length, 2);
});

test("a name that cannot be found is asked for again the next time", async (t) => {
	const port = await serve(t, (_, response) => response.end("here"));
	const names = await startNameServer((_, turn) => (turn === 0 ? [] : ["127.0.0.1"]));
	t.after(() => names.close());
	const fetch = guardedFetch({ near: "http://127.0.0.1/", clock, resolve: names.resolve });
	await assert.rejects(fetch(`http://late.localhost:${port}/`), /has no address/);
	assert.equal((await fetch(`http://late.localhost:${port}/`)).status, 200);
});

test("redirects stay within the origin, and end", async (t) => {
	const port = await serve(t, (request, response) => {
		const target: Record<string, string> = {
			"/near": "/there",
			"/host": `http://localhost:${port}/there`,
			"/port": "http://127.0.0.1:1/",
			"/meta": "https://169.254.169.254/latest",
			"/file": "file:///etc/passwd",
			"/loop": "/loop",
		};
		const location = target[request.url ?? ""];
		response.writeHead(
			location === undefined ? 200 : 302,
			location === undefined ? {} : { location },
		);
		response.end("there");
	});
	const near = `http://127.0.0.1:${port}/`;
	const fetch = guardedFetch({ near, clock });
	assert.equal(await (await fetch(`${near}near`)).text(), "there");
	for (const [path, message] of [
		["host", /another origin/],
		["port", /another origin/],
		["meta", /link-local/],
		["file", /not an https/],
		["loop", /without end/],
	] as const) {
		await assert.rejects(fetch(near + path), message, path);
	}
	const strict = guardedFetch({ near, clock, redirects: "none" });
	await assert.rejects(strict(`${near}near`), /redirects/);
});

test("an answer that does not end is cut off, and headers of use are kept", async (t) => {
	const port = await serve(t, (request, response) => {
		if (request.url === "/small") {
			response.setHeader("cache-control", "max-age=60");
			response.setHeader("x-other", "y");
			response.end("{}");
			return;
		}
		const chunk = Buffer.alloc(64 * 1024);
		const more = () => {
			while (response.write(chunk)) {}
		};
		response.on("drain", more);
		more();
	});
	const near = `http://127.0.0.1:${port}/`;
	const fetch = guardedFetch({ near, clock, body_bytes_max: 1024 * 1024 });
	await assert.rejects(fetch(`${near}endless`), /too much/);
	const small = await fetch(`${near}small`);
	assert.deepEqual([...small.headers], [["cache-control", "max-age=60"]]);
});

test("an address that stands for no host is not asked, whatever network the server is in", async () => {
	for (const near of ["https://10.0.0.1/", "https://127.0.0.1/", "https://0.0.0.0/"]) {
		const fetch = guardedFetch({ near, clock });
		for (const host of ["0.0.0.0", "0.1.2.3", "[::]", "[::ffff:0.0.0.0]"]) {
			await assert.rejects(fetch(`https://${host}:1/`), /an address that nobody has/, host);
		}
	}
});

/** A server on this machine with a certificate; the port. */
async function serveTls(t: TestContext, { cert, key }: TestCertificate): Promise<number> {
	const server = createTlsServer({ cert, key }, (_, response) => response.end("the server"));
	server.on("tlsClientError", () => undefined);
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	t.after(() => {
		server.closeAllConnections();
		server.close();
	});
	return (server.address() as AddressInfo).port;
}

test("a name is near this machine only where what it leads to has a certificate for it", async (t) => {
	const certificates = new TestCertificates(await tempFolder(t));
	const authority = await certificates.authority("authority");
	const trusted = getCACertificates("default");
	setDefaultCACertificates([...trusted, authority.cert]);
	t.after(() => setDefaultCACertificates(trusted));
	const own = await certificates.signed("own", authority, ["DNS:mcp.corp.example"]);
	const strange = await certificates.authority("strange");
	const forged = await certificates.signed("forged", strange, ["DNS:mcp.corp.example"]);
	const asked: string[] = [];
	const inner = await serve(t, (request, response) => {
		asked.push(request.url ?? "");
		response.end("the inner service");
	});
	const inside = `http://127.0.0.1:${inner}/`;
	const own_port = await serveTls(t, own);
	const names = await startNameServer((name, turn) => {
		if (name.startsWith("rebinding") && turn > 0) return ["93.184.216.34"];
		return name.startsWith("alone") || name.startsWith("mcp")
			? ["127.0.0.1"]
			: ["93.184.216.34", "127.0.0.1"];
	});
	t.after(() => names.close());
	const near = (url: string) => guardedFetch({ near: url, clock, resolve: names.resolve });

	await t.test("not where it is somebody else's, or nobody's", async () => {
		for (const url of [
			`https://rebinding.evil.example:${own_port}/mcp`,
			`https://alone.evil.example:${own_port}/mcp`,
			`https://mcp.corp.example:${await serveTls(t, forged)}/mcp`,
			`https://alone.evil.example:${inner}/mcp`,
			`http://alone.evil.example:${inner}/mcp`,
		]) {
			const fetch = near(url);
			await assert.rejects(
				fetch(inside),
				/loopback network in which the server itself is not/,
				url,
			);
			await assert.rejects(fetch(`http://localhost:${inner}/`), RefusedAddress, url);
		}
		assert.deepEqual(asked, []);
	});

	await t.test("and where it is, what is beside it is asked", async () => {
		const fetch = near(`https://mcp.corp.example:${own_port}/mcp`);
		assert.equal(await (await fetch(inside)).text(), "the inner service");
		const there = await fetch(`https://mcp.corp.example:${own_port}/`);
		assert.equal(await there.text(), "the server");
	});

	await t.test("a name that nobody can register needs none", async () => {
		for (const name of ["alone", "alone.internal"]) {
			const fetch = near(`http://${name}:${inner}/mcp`);
			assert.equal((await fetch(inside)).status, 200, name);
		}
	});
});

test("a server that cannot show who it is for a moment is looked at again", async (t) => {
	const certificates = new TestCertificates(await tempFolder(t));
	const authority = await certificates.authority("authority");
	const own = await certificates.signed("own", authority, ["DNS:mcp.corp.example"]);
	const port = await serveTls(t, own);
	const names = await startNameServer(() => ["127.0.0.1"]);
	t.after(() => names.close());
	const near = `https://mcp.corp.example:${port}/`;
	const fetch = guardedFetch({ near, clock, resolve: names.resolve });
	await assert.rejects(fetch(near), RefusedAddress);
	const trusted = getCACertificates("default");
	setDefaultCACertificates([...trusted, authority.cert]);
	t.after(() => setDefaultCACertificates(trusted));
	assert.equal(await (await fetch(near)).text(), "the server");
});
