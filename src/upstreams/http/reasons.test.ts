import assert from "node:assert/strict";
import { test } from "node:test";
import { networkReason, statusAdvice } from "./reasons.ts";

function failure(code: string | undefined): Error {
	return Object.assign(new Error("connect to 10.0.0.1 with Bearer hush"), { code });
}

test("a network failure is told by its kind, never by its text", () => {
	assert.equal(networkReason(failure("ECONNREFUSED")), "connection refused");
	assert.equal(networkReason(failure("ENOTFOUND")), "its host name is not known");
	const foreign = Object.assign(failure("HPE_INVALID_CONSTANT"), { name: "HTTPParserError" });
	assert.equal(networkReason(foreign), "it does not speak HTTP");
	assert.equal(networkReason(failure("ESOMETHING")), "ESOMETHING");
	assert.equal(networkReason(failure(undefined)), "connection failed");
});

test("every status comes with something to do about it", () => {
	for (const status of [302, 400, 401, 403, 404, 405, 418, 429, 500, 503]) {
		assert.match(statusAdvice(status, undefined), /^[A-Z].*\.$/, `${status}`);
	}
});

test("a redirect is told by its origin only", () => {
	const advice = statusAdvice(308, "https://user:hush@example.com/mcp?key=hush");
	assert.match(advice, /https:\/\/example\.com:/);
	assert.doesNotMatch(advice, /hush/);
	assert.match(statusAdvice(308, "not a url"), /elsewhere/);
});
