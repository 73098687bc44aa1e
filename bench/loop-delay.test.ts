import assert from "node:assert/strict";
import { test } from "node:test";
import { delayIn } from "./loop-delay.ts";

test("the delay of the event loop is read at p99, in milliseconds", () => {
	const text = [
		"# TYPE moorage_event_loop_delay_seconds gauge",
		'moorage_event_loop_delay_seconds{quantile="0.5"} 0.0001',
		'moorage_event_loop_delay_seconds{quantile="0.99"} 0.0123456',
		'moorage_event_loop_delay_seconds{quantile="1"} 0.5',
	].join("\n");
	assert.equal(delayIn(text), 12.346);
});

test("metrics that do not tell of it are no failure", () => {
	assert.equal(delayIn("moorage_sessions 3\n"), undefined);
});
