import type { Call } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { callerOf, scopeProblem } from "../scope.ts";
import { useRefusal } from "./known-catalog.ts";

/**
 * A client that lists tools is likely to call one soon: servers that are configured so are woken
 * meanwhile. Nobody waits for it, and what fails shows with the call.
 */
export function warmAhead(
	call: Pick<Call, "endpoint" | "client" | "principal">,
	context: GatewayContext,
): void {
	const { client, endpoint } = call;
	for (const server of endpoint.servers) {
		if (!server.idle.warm_on_list || scopeProblem(server, client) !== undefined) continue;
		if (useRefusal(server.name, call, context) !== undefined) continue;
		const key = context.instanceKey(server, client);
		const caller = callerOf(client);
		if (!context.hosting.sleeps(key, { kind: "hold", caller })) continue;
		const signal = new AbortController().signal;
		const options = { kind: "hold", caller, signal, wait_ms: server.timeouts.start_ms } as const;
		void context.hosting.acquire(key, options).then((lease) => {
			if (lease.ok) lease.value.release();
		});
	}
}
