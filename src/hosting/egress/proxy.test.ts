import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, Socket } from "node:net";
import { test } from "node:test";
import {
	RawSocket,
	startEgress,
	startOrigin,
	startTcp,
} from "../../../test/support/egress-scene.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { until } from "../../../test/support/until.ts";

const api = { "api.example.com": [["8.8.8.8"]] };

test("a listed host is reached through a tunnel, at the address that was judged", async (t) => {
	const origin_port = await startTcp(t, (socket) => socket.end("hello from the origin"));
	const scene = await startEgress(t, { hosts: ["api.example.com"], names: api, origin_port });
	const client = new RawSocket(t, scene.socket_path);
	client.write("CONNECT api.example.com:443 HTTP/1.1", "Host: api.example.com:443", "", "");
	const text = await client.end();
	assert.match(text, /^HTTP\/1\.1 200 [^\r]*\r\n\r\nhello from the origin$/);
	assert.deepEqual(scene.dialled, ["8.8.8.8:443"]);
	assert.deepEqual(scene.noted, ["used api.example.com:443"]);
});

test("a host that is not listed is refused with the line that would allow it", async (t) => {
	const scene = await startEgress(t, { hosts: ["api.example.com"] });
	const client = new RawSocket(t, scene.socket_path);
	client.write("CONNECT evil.example:8443 HTTP/1.1", "", "");
	const text = await client.end();
	assert.match(text, /^HTTP\/1\.1 403 Forbidden\r\n/);
	assert.match(text, /refused files a connection to evil\.example:8443/);
	assert.match(text, /egress: \[evil\.example:8443\]/);
	assert.deepEqual(scene.noted, ["refused evil.example:8443"]);
	assert.deepEqual(scene.looked_up, []);
	assert.deepEqual(scene.dialled, []);
});

test("what was tried past the proxy is noted, and nothing else of such a request", async (t) => {
	const scene = await startEgress(t, { hosts: ["api.example.com"], names: api });
	for (const target of ["192.0.2.1:443", "[2001:db8::1]:80", "WWW.example.com:53"]) {
		const client = new RawSocket(t, scene.socket_path);
		client.write(`REPORT /${target} HTTP/1.1`, "", "");
		await client.end();
	}
	for (const odd of ["/", "/192.0.2.1", "/192.0.2.1:0", "/a b:1", "/192.0.2.1:1/x", "*"]) {
		const client = new RawSocket(t, scene.socket_path);
		client.write(`REPORT ${odd} HTTP/1.1`, "", "");
		await client.end();
	}
	assert.deepEqual(scene.noted, [
		"unproxied 192.0.2.1:443",
		"unproxied 2001:db8::1:80",
		"unproxied www.example.com:53",
	]);
	assert.deepEqual([...scene.dialled, ...scene.looked_up], []);
});

test("a port that is not listed is refused", async (t) => {
	const scene = await startEgress(t, { hosts: ["api.example.com"], names: api });
	const client = new RawSocket(t, scene.socket_path);
	client.write("CONNECT api.example.com:22 HTTP/1.1", "", "");
	assert.match(await client.end(), /403 Forbidden[^]*egress: \[api\.example\.com:22\]/);
});

test("a name that leads into a private network is refused, and so are such addresses", async (t) => {
	const names = { "a.example": [["8.8.8.8", "169.254.169.254"]] };
	const scene = await startEgress(t, { names });
	for (const [target, kind] of [
		["a.example:80", "link-local"],
		["127.0.0.1:80", "loopback"],
		["[::ffff:10.0.0.1]:80", "private"],
		["2130706433:80", "loopback"],
		["[fd00::1]:80", "private"],
	]) {
		const client = new RawSocket(t, scene.socket_path);
		client.write(`CONNECT ${target} HTTP/1.1`, "", "");
		assert.match(await client.end(), new RegExp(`403 Forbidden[^]*a ${kind} address`), target);
	}
	assert.deepEqual(scene.dialled, []);
});

test("a name that changes its address between two lookups gains nothing", async (t) => {
	const origin_port = await startTcp(t, (socket) => socket.end("public"));
	const names = { "rebinding.example": [["8.8.8.8"], ["127.0.0.1"]] };
	const scene = await startEgress(t, { hosts: ["rebinding.example"], names, origin_port });
	const first = new RawSocket(t, scene.socket_path);
	first.write("CONNECT rebinding.example:443 HTTP/1.1", "", "");
	assert.match(await first.end(), /public$/);
	assert.deepEqual(scene.looked_up, ["rebinding.example"]);
	assert.deepEqual(scene.dialled, ["8.8.8.8:443"]);
	const second = new RawSocket(t, scene.socket_path);
	second.write("CONNECT rebinding.example:443 HTTP/1.1", "", "");
	assert.match(await second.end(), /403 Forbidden/);
	assert.equal(scene.dialled.length, 1);
});

test("an address of this machine is reached where it is listed, in truth", async (t) => {
	const port = await startTcp(t, (socket) => socket.end("local"));
	const scene = await startEgress(t, { hosts: [`127.0.0.1:${port}`] });
	const client = new RawSocket(t, scene.socket_path);
	client.write(`CONNECT 127.0.0.1:${port} HTTP/1.1`, "", "");
	assert.match(await client.end(), /local$/);
});

test("of several addresses one that answers is used, without another lookup", async (t) => {
	const port = await startTcp(t, (socket) => socket.end("the second"));
	const scene = await startEgress(t, {
		hosts: [`both.internal:${port}`],
		names: { "both.internal": [["::1", "127.0.0.1"]] },
	});
	const client = new RawSocket(t, scene.socket_path);
	client.write(`CONNECT both.internal:${port} HTTP/1.1`, "", "");
	assert.match(await client.end(), /the second$/);
	assert.deepEqual(scene.looked_up, ["both.internal"]);
});

test("a host that does not answer and a name that does not exist are told apart", async (t) => {
	const port = await startTcp(t, () => undefined);
	const gone = connect(port, "127.0.0.1");
	await once(gone, "connect");
	const free_port = gone.localPort ?? 0;
	gone.destroy();
	const scene = await startEgress(t, { hosts: [`127.0.0.1:${free_port}`, "no.example"] });
	const refused = new RawSocket(t, scene.socket_path);
	refused.write(`CONNECT 127.0.0.1:${free_port} HTTP/1.1`, "", "");
	assert.match(await refused.end(), /502 Bad Gateway[^]*nothing listens there/);
	const unknown = new RawSocket(t, scene.socket_path);
	unknown.write("CONNECT no.example:443 HTTP/1.1", "", "");
	assert.match(await unknown.end(), /502 Bad Gateway[^]*no address for no\.example/);
	assert.deepEqual(scene.noted, [`used 127.0.0.1:${free_port}`]);
	assert.deepEqual(scene.missed, [
		`127.0.0.1:${free_port} nothing listens there.`,
		"no.example:443 its name leads to no address. Check how it is spelled, and this machine's DNS.",
	]);
});

test("bytes sent together with the CONNECT are not lost, and each side may end first", async (t) => {
	const origin_port = await startTcp(t, (socket) => {
		socket.pipe(socket);
	});
	const scene = await startEgress(t, { names: api, origin_port });
	const client = new RawSocket(t, scene.socket_path);
	client.write("CONNECT api.example.com:443 HTTP/1.1", "", "early bytes");
	await client.until("early bytes");
	client.socket.end(", and the last");
	assert.match(await client.end(), /early bytes, and the last$/);
	await until(() => scene.proxy.connections === 0);
});

test("a tunnel carries more than any buffer holds, at the reader's own pace", async (t) => {
	const size = 32 * 1024 * 1024;
	let sent = 0;
	const origin_port = await startTcp(t, (socket) => {
		const chunk = Buffer.alloc(64 * 1024, "x");
		const more = () => {
			while (sent < size) {
				sent += chunk.length;
				if (!socket.write(chunk)) return;
			}
			socket.end();
		};
		socket.on("drain", more);
		more();
	});
	const scene = await startEgress(t, { names: api, origin_port });
	const client = connect(scene.socket_path);
	client.write("CONNECT api.example.com:443 HTTP/1.1\r\n\r\n");
	await once(client, "readable");
	await until(() => sent > 0);
	assert.ok(sent < size, "the origin waits while nobody reads");
	let received = 0;
	client.on("data", (chunk: Buffer) => {
		received += chunk.length;
	});
	await once(client, "end");
	client.destroy();
	assert.ok(received > size);
});

test("a tunnel without a byte is ended, and one with bytes is not", async (t) => {
	const clock = new FakeClock();
	const origin_port = await startTcp(t, (socket) => {
		socket.pipe(socket);
	});
	const limits = { idle_ms_max: 1000 };
	const scene = await startEgress(t, { names: api, origin_port, clock, limits });
	const client = new RawSocket(t, scene.socket_path);
	client.write("CONNECT api.example.com:443 HTTP/1.1", "", "");
	await client.until("\r\n\r\n");
	for (const word of ["one", "two", "three"]) {
		await clock.advance(1000);
		client.write(word);
		await client.until(word);
	}
	await clock.advance(1000);
	assert.equal(scene.proxy.connections, 2);
	await clock.advance(1000);
	await client.end();
	await until(() => scene.proxy.connections === 0);
	assert.equal(clock.pending, 0);
});

test("a client that sends half a request is ended like any idle connection", async (t) => {
	const clock = new FakeClock();
	const scene = await startEgress(t, { clock, limits: { idle_ms_max: 1000 } });
	const client = new RawSocket(t, scene.socket_path);
	client.write("CONNECT api.exa");
	await until(() => scene.proxy.connections === 1);
	await clock.advance(2000);
	await client.end();
	await until(() => scene.proxy.connections === 0);
});

test("a host that takes too long is given up, and so is one nobody waits for", async (t) => {
	const clock = new FakeClock();
	const dialled: Socket[] = [];
	const dial = () => {
		const socket = new Socket();
		dialled.push(socket);
		return socket;
	};
	const scene = await startEgress(t, { names: api, clock, dial, limits: { connect_ms_max: 500 } });
	const patient = new RawSocket(t, scene.socket_path);
	patient.write("CONNECT api.example.com:443 HTTP/1.1", "", "");
	await until(() => dialled.length === 1);
	await clock.advance(500);
	assert.match(await patient.end(), /502 Bad Gateway[^]*did not answer in time/);
	const hasty = new RawSocket(t, scene.socket_path);
	hasty.write("GET http://api.example.com/ HTTP/1.1", "Host: x", "", "");
	await until(() => dialled.length === 2);
	hasty.socket.destroy();
	await until(() => scene.proxy.connections === 0);
	assert.ok(dialled.every((socket) => socket.destroyed));
});

test("connections above the limit are closed, and the others go on", async (t) => {
	const origin_port = await startTcp(t, (socket) => {
		socket.pipe(socket);
	});
	const limits = { connections_max: 3 };
	const scene = await startEgress(t, { names: api, origin_port, limits });
	const clients: RawSocket[] = [];
	for (let index = 0; index < 3; index += 1) {
		const client = new RawSocket(t, scene.socket_path);
		client.write("CONNECT api.example.com:443 HTTP/1.1", "", "");
		await client.until("\r\n\r\n");
		clients.push(client);
	}
	const surplus = new RawSocket(t, scene.socket_path);
	surplus.write("CONNECT api.example.com:443 HTTP/1.1", "", "");
	assert.equal(await surplus.end(), "");
	clients[0]?.write("still there");
	assert.match((await clients[0]?.until("still there")) ?? "", /still there$/);
});

test("the end of an instance ends every connection of it", async (t) => {
	let origin_ended: Promise<unknown> | undefined;
	const origin_port = await startTcp(t, (socket) => {
		origin_ended = once(socket.resume(), "end");
	});
	const scene = await startEgress(t, { names: api, origin_port });
	const client = new RawSocket(t, scene.socket_path);
	client.write("CONNECT api.example.com:443 HTTP/1.1", "", "");
	await client.until("\r\n\r\n");
	const half = new RawSocket(t, scene.socket_path);
	half.write("CONN");
	await until(() => scene.proxy.connections === 3);
	await scene.proxy.close();
	assert.equal(scene.proxy.connections, 0);
	await client.end();
	await origin_ended;
	await scene.proxy.close();
});

test("headers that are too long or cannot be read are refused", async (t) => {
	const scene = await startEgress(t, { names: api, limits: { header_bytes_max: 2048 } });
	const long = new RawSocket(t, scene.socket_path);
	long.write("CONNECT api.example.com:443 HTTP/1.1", `X: ${"x".repeat(4096)}`, "", "");
	assert.match(await long.end(), /^HTTP\/1\.1 431 /);
	const odd = new RawSocket(t, scene.socket_path);
	odd.write("\x16\x03\x01 not http", "", "");
	assert.match(await odd.end(), /^HTTP\/1\.1 400 /);
	const origin_form = new RawSocket(t, scene.socket_path);
	origin_form.write("GET /path HTTP/1.1", "Host: api.example.com", "Connection: close", "", "");
	assert.match(await origin_form.end(), /^HTTP\/1\.1 400 [^]*Moorage's proxy/);
	const no_port = new RawSocket(t, scene.socket_path);
	no_port.write("CONNECT api.example.com HTTP/1.1", "", "");
	assert.match(await no_port.end(), /^HTTP\/1\.1 400 [^]*Moorage's proxy/);
	assert.deepEqual(scene.dialled, []);
});

test("a plain request is forwarded with its body, and names the host that was judged", async (t) => {
	const seen: unknown[] = [];
	const origin = await startOrigin(t, async (request, response) => {
		let body = "";
		for await (const chunk of request) body += String(chunk);
		seen.push([request.method, request.url, request.rawHeaders, body]);
		response.writeHead(
			201,
			[
				["x-a", "1"],
				["x-a", "2"],
			].flat(),
		);
		response.end("made");
	});
	const scene = await startEgress(t, { names: api, origin_port: origin.port });
	const client = new RawSocket(t, scene.socket_path);
	client.write(
		"POST http://api.example.com:8080/path?q=1 HTTP/1.1",
		"Host: other.example",
		"Proxy-Authorization: Basic c2VjcmV0",
		"Connection: close, X-Hop",
		"X-Hop: 1",
		"X-Kept: yes",
		"Content-Length: 4",
		"",
		"body",
	);
	const text = await client.end();
	assert.match(text, /^HTTP\/1\.1 201 Created\r\n/);
	assert.match(text, /x-a: 1\r\nx-a: 2\r\n/);
	assert.match(text, /made/);
	const headers = ["Host", "api.example.com:8080", "X-Kept", "yes", "Content-Length", "4"];
	assert.deepEqual(seen, [["POST", "/path?q=1", [...headers, "Connection", "close"], "body"]]);
	assert.deepEqual(scene.dialled, ["8.8.8.8:8080"]);
});

test("a body keeps its frame, so that it is never taken for another request", async (t) => {
	const seen: string[] = [];
	const origin = await startOrigin(t, async (request, response) => {
		let body = "";
		for await (const chunk of request) body += String(chunk);
		seen.push(`${request.method} ${request.url} ${body.length}`);
		response.end();
	});
	const scene = await startEgress(t, { names: api, origin_port: origin.port });
	const smuggled = "GET http://api.example.com/smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
	const framed = `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`;
	const chunked = new RawSocket(t, scene.socket_path);
	chunked.write(
		"DELETE http://api.example.com/one HTTP/1.1",
		"Host: x",
		"Connection: close, Transfer-Encoding",
		"Transfer-Encoding: chunked",
		"",
		framed,
	);
	assert.match(await chunked.end(), /^HTTP\/1\.1 200 /);
	assert.deepEqual(seen, [`DELETE /one ${smuggled.length}`]);
	for (const lengths of [
		["Content-Length: 4", "Transfer-Encoding: chunked"],
		["Content-Length: 4", "Content-Length: 5"],
		["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
		["Content-Length : 4"],
	]) {
		const client = new RawSocket(t, scene.socket_path);
		client.write("POST http://api.example.com/two HTTP/1.1", "Host: x", ...lengths, "", framed);
		assert.match(await client.end(), /^HTTP\/1\.1 400 /, lengths.join());
	}
	assert.equal(seen.length, 1);
});

test("requests that do not wait for their turn end the connection", async (t) => {
	const origin = await startOrigin(t, () => undefined);
	const scene = await startEgress(t, { names: api, origin_port: origin.port });
	const client = new RawSocket(t, scene.socket_path);
	client.write(
		...Array.from({ length: 50 }, () => "GET http://api.example.com/ HTTP/1.1\r\nHost: x\r\n"),
		"",
	);
	assert.equal(await client.end(), "");
	await until(() => scene.proxy.connections === 0);
	assert.ok(scene.dialled.length <= 1);
});

test("one connection may carry requests to several hosts, each judged for itself", async (t) => {
	const origin = await startOrigin(t, (request, response) => response.end(request.headers.host));
	const scene = await startEgress(t, {
		hosts: ["api.example.com"],
		names: api,
		origin_port: origin.port,
	});
	const client = new RawSocket(t, scene.socket_path);
	client.write("GET http://api.example.com/ HTTP/1.1", "Host: x", "", "");
	assert.match(await client.until("\r\n\r\napi.example.com"), /200 OK/);
	client.write("GET http://evil.example/ HTTP/1.1", "Host: api.example.com", "", "");
	assert.match(await client.end(), /403 Forbidden[^]*egress: \[evil\.example\]/);
});

test("an answer that ends too soon, or is none, is not passed on as a whole one", async (t) => {
	const answers = ["HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "garbage\r\n\r\n", ""];
	const origin_port = await startTcp(t, (socket) => {
		socket.once("data", () => socket.end(answers.shift() ?? ""));
	});
	const scene = await startEgress(t, { names: api, origin_port });
	const ask = async () => {
		const client = new RawSocket(t, scene.socket_path);
		client.write("GET http://api.example.com/ HTTP/1.1", "Host: x", "", "");
		return client.end();
	};
	assert.match(await ask(), /Content-Length: 100\r\n[^]*half$/);
	assert.match(await ask(), /^HTTP\/1\.1 502 [^]*no answer that can be read/);
	assert.match(await ask(), /^HTTP\/1\.1 502 [^]*no answer that can be read/);
	await until(() => scene.proxy.connections === 0);
});
