import assert from "node:assert/strict";
import { type Call, makeCall } from "../../src/gateway/call.ts";
import { local_principal, type Principal } from "../../src/identity/principal.ts";
import { indexMessage } from "../../src/wire/index-message.ts";
import { FakeClock } from "./fake-clock.ts";

/** A modern client's request for one server, `s`, at the beginning of its way. */
export function callFor(
	body: { readonly method: string; readonly params: object },
	principal: Principal = local_principal,
	clock: FakeClock = new FakeClock(),
): Call {
	const message = indexMessage(Buffer.from(JSON.stringify({ jsonrpc: "2.0", id: 1, ...body })));
	assert.ok(message.ok);
	return makeCall(
		{
			id: "0192f0c1-0000-7000-8000-000000000001",
			principal,
			endpoint: {
				name: "s",
				path: "/s/mcp",
				kind: "single",
				servers: [],
				tools: { allow: [], deny: [] },
			},
			client: {
				era: "modern",
				revision: "2026-07-28",
				capabilities: "{}",
				info: '{"name":"c","version":"1"}',
				session_id: undefined,
				principal: principal.id,
				log_level: undefined,
			},
			message: message.value,
			method: body.method,
			signal: new AbortController().signal,
			sink: { notify: () => undefined, ask: () => undefined },
		},
		clock,
	);
}
