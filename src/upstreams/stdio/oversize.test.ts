import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { idOfOversize } from "./oversize.ts";

/** The ends of a line, as the line reader keeps them. */
function idOf(line: string): number | undefined {
	const bytes = Buffer.from(line);
	return idOfOversize(bytes.subarray(0, 4096), bytes.subarray(-256));
}

const long = "x".repeat(10_000);

test("an id before the result is found", () => {
	assert.equal(idOf(`{"jsonrpc":"2.0","id":12,"result":{"t":"${long}"}}`), 12);
	assert.equal(idOf(`{"id":12,"jsonrpc":"2.0","result":{"t":"${long}"}}`), 12);
	assert.equal(idOf(` { "jsonrpc" : "2.0" , "id" : 7 , "error" : {"m":"${long}"}}`), 7);
});

test("an id behind the result is found", () => {
	assert.equal(idOf(`{"result":{"t":"${long}"},"jsonrpc":"2.0","id":12}`), 12);
	assert.equal(idOf(`{"result":{"t":"${long}"},"id":12,"jsonrpc":"2.0"}`), 12);
	assert.equal(idOf(`{"jsonrpc":"2.0","result":{"t":"${long}"}, "id" : 7 } `), 7);
});

test("an id that is part of the result is not taken for the reply's", () => {
	assert.equal(idOf(`{"jsonrpc":"2.0","result":{"t":"${long}","id":12}}`), undefined);
	assert.equal(idOf(`{"jsonrpc":"2.0","result":{"t":"${long},\\"id\\":12}"}}`), undefined);
	assert.equal(idOf(`{"result":{"id":5,"t":"${long}"}}`), undefined);
});

test("a request or notification of the server is not taken for a reply", () => {
	const params = `{"t":"${long}"}`;
	assert.equal(idOf(`{"jsonrpc":"2.0","id":5,"method":"m","params":${params}}`), undefined);
	assert.equal(idOf(`{"jsonrpc":"2.0","method":"m","params":${params},"id":5}`), undefined);
	assert.equal(idOf(`{"method":"m","params":${params}}`), undefined);
});

test("ids that are not ours and noise are nobody's", () => {
	assert.equal(idOf(`{"jsonrpc":"2.0","id":"12","result":{"t":"${long}"}}`), undefined);
	assert.equal(idOf(`{"jsonrpc":"2.0","id":null,"error":{"t":"${long}"}}`), undefined);
	assert.equal(idOf(`{"jsonrpc":"2.0","id":1234567890123456,"result":{}}`), undefined);
	assert.equal(idOf(long), undefined);
	assert.equal(idOf(""), undefined);
});

test("whatever the result and however it is laid out, the id is the envelope's or none", () => {
	const gap = fc.constantFrom("", " ", "\t");
	fc.assert(
		fc.property(fc.jsonValue(), fc.nat(), gap, fc.boolean(), (value, id, space, first) => {
			const result = JSON.stringify({ value, id: 99, t: long });
			const head = `${space}"jsonrpc"${space}:"2.0"${space},${space}`;
			const number = `"id":${space}${id}${space}`;
			const line = first
				? `{${head}${number},"result":${result}}`
				: `{"result":${result},${head}${number}}`;
			assert.equal(idOf(line), id);
		}),
	);
});
