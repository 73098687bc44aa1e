import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { indexMessage } from "../../wire/index-message.ts";
import { linkError, refusalError, streamEndError } from "./rpc-error.ts";

interface ErrorMessage {
	readonly id: unknown;
	readonly error: { readonly code: number; readonly message: string; readonly data?: unknown };
}

function read(bytes: Buffer): ErrorMessage {
	const indexed = indexMessage(bytes);
	assert.ok(indexed.ok, bytes.toString());
	assert.equal(indexed.value.kind, "error");
	return JSON.parse(bytes.toString()) as ErrorMessage;
}

test("an error of the link says whether the request may be sent again", () => {
	const absent = read(linkError("1", { kind: "absent", detail: "Nobody is there." }));
	assert.equal(absent.error.message, "Nobody is there.");
	assert.deepEqual(absent.error.data, {
		"dev.moorage/error": { code: "gateway_stopping", retry_safe: true },
	});
	const lost = read(linkError('"a"', { kind: "lost", detail: "Gone." }));
	assert.deepEqual(
		[lost.id, lost.error.data],
		["a", { "dev.moorage/error": { code: "gateway_stopping", retry_safe: false } }],
	);
	assert.match(read(streamEndError("1")).error.message, /unknown\.$/);
});

test("our own codes lie outside the range that JSON-RPC keeps for itself", () => {
	for (const bytes of [streamEndError("1"), refusalError("1", 500, Buffer.from("x"))]) {
		const { code } = read(bytes).error;
		assert.ok(code < -32768 || code > -32000);
	}
});

test("a JSON-RPC error keeps its code, message and raw data, with the request's id", () => {
	const body = '{"jsonrpc":"2.0","id":null,"error":{"code":-32022,"message":"é","data":{"n":1.0}}}';
	const bytes = refusalError("12345678901234567890", 400, Buffer.from(body));
	assert.equal(
		bytes.toString(),
		'{"jsonrpc":"2.0","id":12345678901234567890,' +
			'"error":{"code":-32022,"message":"é","data":{"n":1.0}}}',
	);
});

test("any other body is told by its status and, where there is one, its message", () => {
	const cases = [
		["", "The Moorage gateway answered with HTTP status 404."],
		["<html>", "The Moorage gateway answered with HTTP status 404."],
		["null", "The Moorage gateway answered with HTTP status 404."],
		['{"message":5}', "The Moorage gateway answered with HTTP status 404."],
		['{"message":"No such."}', "The Moorage gateway answered with HTTP status 404: No such."],
	] as const;
	for (const [body, message] of cases) {
		assert.equal(read(refusalError("1", 404, Buffer.from(body))).error.message, message);
	}
	const long = JSON.stringify({ message: "x".repeat(5000) });
	assert.ok(read(refusalError("1", 404, Buffer.from(long))).error.message.length < 300);
});

test("whatever the body is, the error is a valid message with the id", () => {
	fc.assert(
		fc.property(fc.uint8Array(), fc.oneof(fc.string(), fc.integer()), (body, id) => {
			const raw = JSON.stringify(id);
			assert.equal(read(refusalError(raw, 500, Buffer.from(body))).id, id);
		}),
	);
});
