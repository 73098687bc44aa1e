import type { ServerCatalog } from "../../catalog/catalogs.ts";
import type { ServerPlan } from "../../config/plan.ts";
import { type Result, succeed } from "../../lib/result.ts";
import type { Fault } from "../../protocol/fault.ts";
import type { GatewayContext } from "../context.ts";

/** The instance that speaks for a server when nobody in particular asks. */
export function catalogKey(server: ServerPlan) {
	return { server: server.name, scope_key: "", capabilities: "{}" };
}

/**
 * What a server offers: from the stored catalog without waking anything, else by starting the
 * server and waiting, at most `list_wait_ms`, for its first answer.
 */
export async function knownCatalog(
	server: ServerPlan,
	context: GatewayContext,
	signal: AbortSignal,
): Promise<Result<ServerCatalog, Fault>> {
	const known = context.catalogs.get(server.name);
	if (known !== undefined) return succeed(known);
	const wait_ms = context.limits.list_wait_ms;
	const deadline = new AbortController();
	const timer = context.clock.after(wait_ms, () => deadline.abort());
	const either = AbortSignal.any([signal, deadline.signal]);
	try {
		const lease = await context.hosting.acquire(catalogKey(server), {
			kind: "hold",
			signal: either,
			wait_ms,
		});
		if (!lease.ok) return lease;
		try {
			// The server's start has begun to read it already: that is as good as reading again.
			const running = context.catalogs.refreshing(server.name);
			return await (running ?? context.catalogs.refresh(server, lease.value.upstream, either));
		} finally {
			lease.value.release();
		}
	} finally {
		timer.cancel();
	}
}

/** A server that a list has to do without, and why. */
export interface AbsentServer {
	readonly server: string;
	readonly fault: Fault;
}

/** The catalogs of several servers, and which are missing. One slow server delays only itself. */
export async function knownCatalogs(
	servers: readonly ServerPlan[],
	context: GatewayContext,
	signal: AbortSignal,
): Promise<{ catalogs: ServerCatalog[]; absent: AbsentServer[] }> {
	const catalogs: ServerCatalog[] = [];
	const absent: AbsentServer[] = [];
	const outcomes = await Promise.all(
		servers.map((server) => knownCatalog(server, context, signal)),
	);
	for (const [position, outcome] of outcomes.entries()) {
		const server = (servers[position] as ServerPlan).name;
		if (outcome.ok) catalogs.push(outcome.value);
		else absent.push({ server, fault: context.report(outcome.problem) });
	}
	return { catalogs, absent };
}
