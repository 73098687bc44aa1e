import assert from "node:assert/strict";
import { test } from "node:test";
import type { Lease } from "../../hosting/hosting.ts";
import type { Call } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { acquireInstance } from "./acquire-instance.ts";

/** What happens for a call to a server that is awake, or is waited for. */
function told(is_awake: boolean): string[] {
	const heard: string[] = [];
	const lease = {
		key: { scope_key: "", place: 0 },
		upstream: { hello: { revision: "r" } },
	} as unknown as Lease;
	const context = {
		clock: { monotonic: () => 0 },
		evidence: [{}, { expect: () => heard.push("expected") }],
		instanceKey: () => lease.key,
		served: { note: () => undefined },
		hosting: {
			tryAcquire: () => (is_awake ? lease : undefined),
			sleeps: () => true,
			acquire() {
				heard.push("woken");
				return new Promise(() => undefined);
			},
		},
	} as unknown as GatewayContext;
	const call = {
		method: "tools/call",
		id: "call",
		client: { session_id: "a", principal: "p" },
		principal: { tenant: "t", id: "p" },
		target: { name: "tool", server: { name: "s", scope: "shared", timeouts: {} } },
		notes: {},
	} as unknown as Call;
	void acquireInstance(call, context);
	return heard;
}

test("those who keep evidence hear of a call that waits for its server before it is awake", () => {
	assert.deepEqual(told(false), ["expected", "woken"]);
	assert.deepEqual(told(true), []);
});
