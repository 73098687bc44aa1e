import assert from "node:assert/strict";
import { test } from "node:test";
import { redacted, SecretRedactor } from "../../secrets/redactor.ts";
import { indexMessage } from "../../wire/index-message.ts";
import type { Call, Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { redactReply } from "./redact-reply.ts";

function run(json: string, values: readonly string[] | undefined): Reply {
	const redactor = new SecretRedactor();
	for (const value of values ?? []) redactor.add(value);
	const context = { resultRedactor: () => (values === undefined ? undefined : redactor) };
	const message = indexMessage(Buffer.from(json));
	assert.ok(message.ok);
	const reply: Reply = { kind: "message", message: message.value, edits: [] };
	return redactReply({} as Call, reply, context as unknown as GatewayContext);
}

function bytesOf(reply: Reply): string {
	assert.ok(reply.kind === "message");
	return reply.message.bytes.toString();
}

const answer = (value: string) => `{"jsonrpc":"2.0","id":1,"result":{"a":${value},"b":1.0}}`;

test("a secret is taken out of an answer, and the rest is kept byte for byte", () => {
	const safe = run(answer('"it is s3cret-value"'), ["s3cret-value"]);
	assert.equal(bytesOf(safe), answer(`"it is ${redacted}"`));
});

test("an answer stays JSON where the secret is a number", () => {
	const safe = run(answer("83920174"), ["83920174"]);
	assert.deepEqual(JSON.parse(bytesOf(safe)), JSON.parse(answer(`"${redacted}"`)));
});

test("an answer without secrets, and any answer where that is off, is left as it is", () => {
	for (const values of [["s3cret-value"], undefined]) {
		assert.equal(bytesOf(run(answer('"nothing"'), values)), answer('"nothing"'));
	}
	assert.equal(bytesOf(run(answer('"s3cret-value"'), undefined)), answer('"s3cret-value"'));
});
