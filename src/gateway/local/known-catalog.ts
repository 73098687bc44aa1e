import type { ServerCatalog } from "../../catalog/catalogs.ts";
import type { ServerPlan } from "../../config/plan.ts";
import { formatDuration } from "../../config/units.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";
import { type Fault, makeFault } from "../../protocol/fault.ts";
import type { Call, ClientSide } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { audienceOf, scopeProblem } from "../scope.ts";

/** The instance that speaks for a server when nobody in particular asks. */
export function catalogKey(server: ServerPlan) {
	return { server: server.name, scope_key: "", capabilities: "{}" };
}

/** Who wants to know what servers offer, and at which address. */
export type Asker = Pick<Call, "principal" | "endpoint" | "signal">;

/**
 * Why somebody may use nothing of a server: then nothing of it is started for them, and they hear
 * nothing of what it says. Undefined where they may use something.
 */
export function useRefusal(
	server: string,
	{ principal, endpoint }: Pick<Asker, "principal" | "endpoint">,
	context: GatewayContext,
): Fault | undefined {
	const off = context.switches?.serverRefusal(server);
	const is_free =
		off === undefined && context.mayUse(principal, { endpoint: endpoint.name, server });
	if (is_free) return undefined;
	const { code, message } = off ?? {
		code: "policy_denied" as const,
		message: `No rule lets you use anything of the server "${server}".`,
	};
	return makeFault(context.random, { code, message, level: "info", server, retry_safe: true });
}

/**
 * What a server offers: from the stored catalog without waking anything, else by starting the
 * server and waiting, at most `list_wait_ms`, for its first answer.
 */
export async function knownCatalog(
	server: ServerPlan,
	context: GatewayContext,
	signal: AbortSignal,
	asker?: Pick<Asker, "principal" | "endpoint">,
): Promise<Result<ServerCatalog, Fault>> {
	const known = context.catalogs.get(server.name);
	if (known !== undefined) return succeed(known);
	const refusal = asker && useRefusal(server.name, asker, context);
	if (refusal !== undefined) return fail(refusal);
	const wait_ms = context.limits.list_wait_ms;
	const late = Promise.withResolvers<Result<ServerCatalog, Fault>>();
	const timer = context.clock.after(wait_ms, () => late.resolve(fail(notSaid(server, context))));
	try {
		const lease = await context.hosting.acquire(catalogKey(server), {
			kind: "hold",
			// How long it waits it knows itself, and says then that the server is still starting.
			signal,
			wait_ms,
		});
		if (!lease.ok) return lease;
		try {
			// The server's start has begun to read it already: that is as good as reading again.
			const running = context.catalogs.refreshing(server.name);
			const read = running ?? context.catalogs.refresh(server, lease.value.upstream, signal);
			return await Promise.race([read, late.promise]);
		} finally {
			lease.value.release();
		}
	} finally {
		timer.cancel();
	}
}

function notSaid({ name }: ServerPlan, { random, limits }: GatewayContext): Fault {
	const message =
		`The server "${name}" runs, and has not said after ${formatDuration(limits.list_wait_ms)} what ` +
		`it offers. Try again in a few seconds; \`moorage logs ${name}\` shows what it is doing.`;
	return makeFault(random, {
		code: "call_timeout",
		message,
		level: "info",
		server: name,
		retry_safe: true,
	});
}

/**
 * What a server offers to one client. What is shared is offered alike; an instance that belongs
 * to somebody may show what is theirs, so what another was shown never stands for it unless it is
 * known to be the same.
 */
export async function offeredTo(
	asker: Asker & Pick<Call, "client">,
	server: ServerPlan,
	context: GatewayContext,
): Promise<Result<ServerCatalog, Fault>> {
	const { client, signal } = asker;
	const known = offeredNow(client, server, context);
	if (known !== undefined) return succeed(known);
	const refusal = useRefusal(server.name, asker, context);
	if (refusal !== undefined) return fail(refusal);
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

function isRefusal({ code }: Fault): boolean {
	return code === "switched_off" || code === "policy_denied";
}

/** A server that a list has to do without, and why. */
export interface AbsentServer {
	readonly server: string;
	readonly fault: Fault;
}

/**
 * The catalogs of several servers, and which are missing. One slow server delays only itself; one
 * that whoever asks may use nothing of is neither started nor missed.
 */
export async function knownCatalogs(
	servers: readonly ServerPlan[],
	context: GatewayContext,
	asker: Asker & Partial<Pick<Call, "client">>,
): Promise<{ catalogs: ServerCatalog[]; absent: AbsentServer[] }> {
	const catalogs: ServerCatalog[] = [];
	const absent: AbsentServer[] = [];
	const { client, signal } = asker;
	const outcomes = await Promise.all(
		servers.map((server) =>
			client === undefined
				? knownCatalog(server, context, signal, asker)
				: offeredTo({ ...asker, client }, server, context),
		),
	);
	for (const [position, outcome] of outcomes.entries()) {
		const server = (servers[position] as ServerPlan).name;
		if (outcome.ok) catalogs.push(outcome.value);
		else if (!isRefusal(outcome.problem))
			absent.push({ server, fault: context.report(outcome.problem) });
	}
	return { catalogs, absent };
}
