import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { sampleAnswered } from "../../test/support/answered-request.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import type { AnsweredRequest } from "../telemetry/call-record.ts";
import { AnsweredRequests } from "./answered-requests.ts";

function scene() {
	const clock = new FakeClock();
	const written: AnsweredRequest[] = [];
	const requests = new AnsweredRequests(clock, (request) => written.push(request));
	const send = (times: number, changes: Partial<AnsweredRequest> = {}) => {
		for (let n = 0; n < times; n += 1) {
			requests.take(sampleAnswered({ ts_ms: clock.now(), ...changes }));
		}
	};
	const counts = () => written.splice(0).map(({ requests: count }) => count);
	return { clock, requests, written, send, counts };
}

const ones = (count: number) => Array.from({ length: count }, () => 1);

test("a few have a line each, and what comes faster has one a minute that counts them", async () => {
	const { clock, send, written, counts } = scene();
	send(1_060);
	assert.deepEqual(counts(), ones(60));
	await clock.advance(59_999);
	assert.deepEqual(counts(), []);
	await clock.advance(1);
	const [line] = written;
	assert.deepEqual(counts(), [1_000]);
	assert.deepEqual(
		[line?.method, line?.user, line?.code, line?.endpoint, line?.ts_ms],
		["*", undefined, "credential_unknown", "github", clock.now()],
	);
	// After a minute of rest as many have a line again, and nothing is told twice.
	send(60);
	assert.deepEqual(counts(), ones(60));
	await clock.advance(120_000);
	assert.deepEqual(counts(), []);
});

test("each address and each code has its own, names that are made up have one", () => {
	const { send, counts, requests } = scene();
	send(61);
	send(61, { endpoint: "files" });
	send(61, { code: "credential_missing" });
	assert.equal(counts().length, 180);
	for (let n = 0; n < 1_000; n += 1) send(1, { endpoint: `made-up-${n}`, is_offered: false });
	assert.equal(counts().length, 60);
	requests.flush();
	assert.deepEqual(counts(), [1, 1, 1, 940]);
});

test("what went well has its line however fast it comes", () => {
	const { send, counts, requests } = scene();
	send(500, { status: "ok", code: undefined });
	assert.equal(counts().length, 500);
	requests.flush();
	assert.deepEqual(counts(), []);
});

test("one that was counted alone is itself", () => {
	const { send, requests, written } = scene();
	send(60);
	send(1, { user: "ana", method: "tools/list" });
	requests.flush();
	assert.deepEqual([written.at(-1)?.user, written.at(-1)?.method], ["ana", "tools/list"]);
});

test("whatever comes, no request is forgotten and lines stay few", async () => {
	const steps = fc.array(
		fc.record({
			times: fc.integer({ min: 1, max: 300 }),
			code: fc.constantFrom("a", "b"),
			endpoint: fc.constantFrom("x", "y"),
			is_offered: fc.boolean(),
			rest_ms: fc.integer({ min: 0, max: 90_000 }),
		}),
		{ minLength: 1, maxLength: 20 },
	);
	const property = fc.asyncProperty(steps, async (all) => {
		const { clock, send, written, requests } = scene();
		const began_ms = clock.monotonic();
		let sent = 0;
		for (const { times, rest_ms, ...changes } of all) {
			send(times, changes);
			sent += times;
			await clock.advance(rest_ms);
		}
		requests.flush();
		const told = written.reduce((sum, { requests: count }) => sum + count, 0);
		assert.equal(told, sent);
		const minutes = (clock.monotonic() - began_ms) / 60_000;
		// Six kinds: 60 at once, one a second, and one line a minute for the rest.
		assert.ok(written.length <= 6 * (60 + 61 * minutes + all.length), String(written.length));
	});
	await fc.assert(property, { numRuns: 50 });
});
