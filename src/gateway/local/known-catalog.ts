import type { ServerCatalog } from "../../catalog/catalogs.ts";
import type { ServerPlan } from "../../config/plan.ts";
import { type Result, succeed } from "../../lib/result.ts";
import type { Fault } from "../../protocol/fault.ts";
import type { ClientSide } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { audienceOf, scopeProblem } from "../scope.ts";

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

/**
 * What a server offers to one client. What is shared is offered alike; an instance that belongs
 * to somebody may show what is theirs, so what another was shown never stands for it unless it is
 * known to be the same.
 */
export async function offeredTo(
	client: ClientSide,
	server: ServerPlan,
	context: GatewayContext,
	signal: AbortSignal,
): Promise<Result<ServerCatalog, Fault>> {
	const known = offeredNow(client, server, context);
	if (known !== undefined) return succeed(known);
	if (isForAll(client, server)) return knownCatalog(server, context, signal);
	const key = context.instanceKey(server, client);
	const wait_ms = context.limits.list_wait_ms;
	const lease = await context.hosting.acquire(key, { kind: "hold", signal, wait_ms });
	if (!lease.ok) return lease;
	try {
		const { upstream } = lease.value;
		return await context.catalogs.refresh(server, upstream, signal, audienceOf(key));
	} finally {
		lease.value.release();
	}
}

/** The same, as far as it is known without asking anybody. */
export function offeredNow(
	client: ClientSide,
	server: ServerPlan,
	context: GatewayContext,
): ServerCatalog | undefined {
	if (isForAll(client, server)) return context.catalogs.get(server.name);
	return context.catalogs.getFor(server.name, audienceOf(context.instanceKey(server, client)));
}

/** Who cannot have an instance of their own sees what a server says to nobody in particular. */
function isForAll(client: ClientSide, server: ServerPlan): boolean {
	return server.scope === "shared" || scopeProblem(server, client) !== undefined;
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
	client?: ClientSide,
): Promise<{ catalogs: ServerCatalog[]; absent: AbsentServer[] }> {
	const catalogs: ServerCatalog[] = [];
	const absent: AbsentServer[] = [];
	const outcomes = await Promise.all(
		servers.map((server) =>
			client === undefined
				? knownCatalog(server, context, signal)
				: offeredTo(client, server, context, signal),
		),
	);
	for (const [position, outcome] of outcomes.entries()) {
		const server = (servers[position] as ServerPlan).name;
		if (outcome.ok) catalogs.push(outcome.value);
		else absent.push({ server, fault: context.report(outcome.problem) });
	}
	return { catalogs, absent };
}
