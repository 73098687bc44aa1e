import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import type { Fault } from "../protocol/fault.ts";
import { UpstreamFaults } from "./faults.ts";

const faults = new UpstreamFaults("weather", new SeededRandom(7));

function call(method: string, written: boolean) {
	return { request: { message: { method } }, written };
}

const seen = call("tools/call", true);
const unseen = call("tools/call", false);

test("every fault names the server, says what to do, and has an id of its own", () => {
	const all: Fault[] = [
		faults.cancelled(seen),
		faults.timeout(seen, 1_500),
		faults.exited(seen, "exited with code 1"),
		faults.gone(),
		faults.notStarted("exited with code 1"),
		faults.protocol("sent nonsense", seen),
		faults.noCommonRevision("1999-01-01"),
		faults.tooLarge(5_000_000, seen),
		faults.queueFull(),
		faults.unreachable("https://example.com", "connection refused", seen),
		faults.rejected("https://example.com", 503, "Try again later.", seen),
	];
	for (const fault of all) {
		assert.match(fault.message, /"weather"/);
		assert.match(fault.message, /\.$/);
		assert.equal(fault.server, "weather");
	}
	assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
});

test("times and sizes are written for people", () => {
	assert.match(faults.timeout(seen, 1_500).message, /within 1\.5 s/);
	assert.match(faults.timeout(seen, 250).message, /within 250 ms/);
	assert.match(faults.tooLarge(5_242_880, seen).message, /5\.2 MB/);
	assert.match(faults.tooLarge(512, seen).message, /512 bytes/);
});

test("a call may be repeated when the server never saw it", () => {
	for (const make of [
		(of: typeof seen) => faults.exited(of, "went away"),
		(of: typeof seen) => faults.timeout(of, 1),
		(of: typeof seen) => faults.unreachable("https://example.com", "x", of),
		(of: typeof seen) => faults.rejected("https://example.com", 500, "X.", of),
	]) {
		assert.equal(make(unseen).retry_safe, true);
		assert.equal(make(seen).retry_safe, false);
	}
});

test("what changes nothing may always be repeated, what may change something not", () => {
	for (const method of ["tools/list", "resources/templates/list", "ping", "completion/complete"]) {
		assert.equal(faults.exited(call(method, true), "x").retry_safe, true, method);
	}
	for (const method of ["tools/call", "resources/read", "prompts/get", "acme/list", "tasks/get"]) {
		assert.equal(faults.exited(call(method, true), "x").retry_safe, false, method);
	}
});

test("what was refused as the caller's mistake has not been done", () => {
	assert.equal(faults.rejected("https://example.com", 404, "X.", seen).retry_safe, true);
});
