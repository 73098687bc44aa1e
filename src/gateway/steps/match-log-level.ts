import { log_levels } from "../../protocol/log-levels.ts";
import type { Upstream } from "../../upstreams/driver.ts";
import { composeRequest } from "../../wire/compose.ts";
import { readJsonText } from "../../wire/object.ts";
import type { Call } from "../call.ts";

/** How long a server may take to say that it heard the level. */
const tell_ms = 10_000;

/** What an instance was told to log, as an index into the levels; nothing yet is past the end. */
interface Told {
	readonly logs: boolean;
	level: number;
	/** The request under way. */
	telling: Promise<void> | undefined;
}

const told_by_upstream = new WeakMap<Upstream, Told>();

/**
 * A legacy server keeps one level for all its clients and may be silent until it hears one. So
 * it is told the most verbose level that any caller wants; what reaches a client is held to
 * that client's own wish (logging, 2025-11-25).
 */
export function matchLogLevel(call: Call): Promise<undefined> | undefined {
	const { lease, client } = call;
	if (lease === undefined || client.log_level === undefined) return undefined;
	const told = tellLogLevel(lease.upstream, client.log_level);
	return told?.then(() => undefined);
}

/** Tells an instance of a level unless it logs as much already. Never rejects. */
export function tellLogLevel(upstream: Upstream, wanted: string): Promise<void> | undefined {
	if (upstream.hello.era === "modern") return undefined;
	const told = toldOf(upstream);
	const level = log_levels.indexOf(wanted);
	if (!told.logs || level < 0) return undefined;
	// A level that is on its way is waited for: what follows may already be logged.
	if (told.level <= level) return told.telling;
	told.level = level;
	const telling = tell(upstream, wanted).finally(() => {
		if (told.telling === telling) told.telling = undefined;
	});
	told.telling = telling;
	return telling;
}

function toldOf(upstream: Upstream): Told {
	let told = told_by_upstream.get(upstream);
	if (told === undefined) {
		const capabilities = readJsonText(upstream.hello.capabilities) as { logging?: unknown };
		const logs = typeof capabilities.logging === "object" && capabilities.logging !== null;
		told = { logs, level: log_levels.length, telling: undefined };
		told_by_upstream.set(upstream, told);
	}
	return told;
}

/** A server that refuses a level logs as it likes; that is no reason to refuse a call. */
async function tell(upstream: Upstream, level: string): Promise<void> {
	await upstream.request({
		message: composeRequest("0", "logging/setLevel", `{"level":${JSON.stringify(level)}}`),
		edits: [],
		name: undefined,
		signal: new AbortController().signal,
		call_ms: tell_ms,
	});
}
