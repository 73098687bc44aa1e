import assert from "node:assert/strict";
import { test } from "node:test";
import { readJson } from "./read-json.ts";

function post(body: string | null, headers: Record<string, string> = {}): Request {
	return new Request("http://h/", { method: "POST", body, headers });
}

const json = { "content-type": "application/json" };

test("a body is given as it came and as a value", async () => {
	const text = '{ "n": 12345678901234567890, "f": 1.0, "é": "😀" }';
	const read = await readJson(post(text, json), 1000);
	assert.ok(read.ok);
	assert.equal(read.value.text, text);
	assert.equal((read.value.value as { f: number }).f, 1);
});

test("no body is an empty object, whatever its type", async () => {
	for (const request of [post(null), post(""), post("", { "content-type": "text/plain" })]) {
		assert.deepEqual(await readJson(request, 10), { ok: true, value: { text: "{}", value: {} } });
	}
});

test("the type may have parameters and any case", async () => {
	for (const type of ["application/json; charset=utf-8", "Application/JSON", "application/json "]) {
		assert.equal((await readJson(post("{}", { "content-type": type }), 10)).ok, true, type);
	}
});

test("a body of exactly the limit is taken, one byte more is not", async () => {
	const text = JSON.stringify("x".repeat(8));
	assert.equal((await readJson(post(text, json), 10)).ok, true);
	const refused = await readJson(post(text, json), 9);
	assert.ok(!refused.ok);
	assert.equal(refused.problem.code, "body_too_large");
	assert.match(refused.problem.message, /larger than 9 bytes/);
});

test("a length that is announced as too large is refused without reading", async () => {
	let pulled = 0;
	const body = new ReadableStream(
		{
			pull() {
				pulled += 1;
			},
		},
		{ highWaterMark: 0 },
	);
	const request = new Request("http://h/", {
		method: "POST",
		body,
		headers: { ...json, "content-length": "100" },
		duplex: "half",
	});
	const refused = await readJson(request, 10);
	assert.ok(!refused.ok);
	assert.equal(pulled, 0);
});
