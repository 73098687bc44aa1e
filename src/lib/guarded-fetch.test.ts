import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { startNameServer } from "../../test/support/name-server.ts";
import { private_addresses } from "../../test/support/private-addresses.ts";
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
