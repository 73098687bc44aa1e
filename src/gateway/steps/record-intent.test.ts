import assert from "node:assert/strict";
import { test } from "node:test";
import { callFor } from "../../../test/support/calls.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import type { GatewayContext } from "../context.ts";
import { recordOf } from "../recording.ts";
import { recordIntent } from "./record-intent.ts";

/** What a call notes of an audit that takes 3 ms for its intent. */
async function afterIntent(method: string, outcome: "kept" | "refused") {
	const clock = new FakeClock();
	const { promise, resolve, reject } = Promise.withResolvers<void>();
	const context = {
		...{ clock, versionOf: () => "1", catalogs: new Map() },
		evidence: [{ before: () => promise }, { after: () => undefined }],
		fault: ({ code }: { code: string }) => ({ code }),
		fieldsOf: () => ({}),
	} as unknown as GatewayContext;
	const call = callFor({ method, params: { name: "t", arguments: {} } });
	const waiting = recordIntent(call, context);
	await clock.advance(3);
	if (outcome === "kept") resolve();
	else reject(new Error("no room"));
	const reply = await waiting;
	return { reply, audit_ms: recordOf(call, undefined, context).audit_ms };
}

test("a call says how long it waited for the audit to have its intent", async () => {
	assert.deepEqual(await afterIntent("tools/call", "kept"), { reply: undefined, audit_ms: 3 });
});

test("a call that is refused without the audit says how long that took", async () => {
	const { reply, audit_ms } = await afterIntent("tools/call", "refused");
	assert.equal(reply?.kind, "fault");
	assert.equal(audit_ms, 3);
});

test("a call that only reads waits for no intent", async () => {
	assert.deepEqual(await afterIntent("prompts/get", "kept"), { reply: undefined, audit_ms: 0 });
});
