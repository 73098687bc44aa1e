import { fingerprintOf } from "../../config/fingerprint.ts";
import type { StdioSpec } from "../../config/plan.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";
import type { Fault } from "../../protocol/fault.ts";
import type { ChildHandle, DriverContext, Hello } from "../driver.ts";
import type { EraVerdicts, ProbeTurn } from "../era-verdicts.ts";
import { UpstreamFaults } from "../faults.ts";
import { StdioConnection } from "./connection.ts";
import { discover, shakeHands } from "./handshake.ts";
import { HeldReports } from "./held-reports.ts";

/** A program that has answered its handshake. */
export interface Opened {
	readonly connection: StdioConnection;
	readonly hello: Hello;
}

/** How long a program may take to answer the modern handshake before it counts as legacy. */
const probe_ms_max = 5_000;
/** How long a program that was only asked for its era gets to end by itself. */
const probe_stop_ms_max = 500;

/**
 * Starts a program and agrees with it on an era. When nothing is known of this version, one
 * process is asked with the modern handshake: some legacy servers end when they hear it, others
 * are not to be trusted after it, so it only stays when it is modern (versioning, 2026-07-28).
 *
 *     known legacy ──> initialize
 *     known modern ──> server/discover ──> modern
 *                                      └─> anything else: forget it, initialize in a new process
 *     not known ─────> server/discover ──> modern
 *                                      └─> anything else: initialize in a new process
 */
export async function openProgram(
	spec: StdioSpec,
	context: DriverContext,
): Promise<Result<Opened, Fault>> {
	const verdicts = context.era_verdicts;
	if (verdicts === undefined) return openLegacy(spec, context);
	const version = context.way ?? fingerprintOf(spec);
	const entered = await verdicts.enter(version, context.signal);
	if (entered === undefined) return fail(notWanted(context));
	if (entered === "legacy") return openKnownLegacy(spec, context, verdicts, version);
	if (entered === "modern") {
		// What is known to answer gets more time to: it may have much to do before it can.
		const opened = await openModern(spec, context, (context.start_ms * 2) / 3);
		if (opened.kind === "opened") return succeed(opened.opened);
		if (opened.kind === "failed") return fail(opened.fault);
		verdicts.forget(version);
		return openKnownLegacy(spec, context, verdicts, version, opened.spent_ms);
	}
	try {
		return await openUnknown(spec, context, entered);
	} finally {
		entered.finish(undefined);
	}
}

async function openUnknown(
	spec: StdioSpec,
	context: DriverContext,
	turn: ProbeTurn,
): Promise<Result<Opened, Fault>> {
	const wait_ms = Math.min(context.start_ms / 3, probe_ms_max);
	const opened = await openModern(spec, context, wait_ms);
	if (opened.kind === "failed") return fail(opened.fault);
	if (opened.kind === "opened") {
		turn.finish("modern");
		return succeed(opened.opened);
	}
	// An answer is evidence; an end or silence may be a failure that the next start does not have.
	if (opened.answered) turn.finish("legacy");
	const legacy = await openLegacy(spec, context, opened.spent_ms);
	if (legacy.ok) turn.finish(legacy.value.hello.era);
	return legacy;
}

/** A server that has become modern-only since says so when it is initialized. */
async function openKnownLegacy(
	spec: StdioSpec,
	context: DriverContext,
	verdicts: EraVerdicts,
	version: string,
	spent_ms = 0,
): Promise<Result<Opened, Fault>> {
	const opened = await openLegacy(spec, context, spent_ms);
	if (!opened.ok) return opened;
	const { era } = opened.value.hello;
	if (verdicts.get(version) !== era) verdicts.set(version, era);
	return opened;
}

/** What a process that was asked with the modern handshake comes to. */
type ModernStart =
	| { readonly kind: "opened"; readonly opened: Opened }
	| { readonly kind: "failed"; readonly fault: Fault }
	/** Nothing is left of it. */
	| { readonly kind: "legacy"; readonly answered: boolean; readonly spent_ms: number };

async function openModern(
	spec: StdioSpec,
	context: DriverContext,
	wait_ms: number,
): Promise<ModernStart> {
	const started_ms = context.clock.monotonic();
	const held = new HeldReports(context);
	const spawned = await spawn(spec, held.context);
	if (!spawned.ok) return { kind: "failed", fault: spawned.problem };
	const { connection } = spawned.value;
	const found = await discover(connection, context, wait_ms);
	if (found.kind === "modern") {
		held.keep();
		return { kind: "opened", opened: ready(spawned.value, context, found.hello) };
	}
	await connection.close(Math.min(context.stop_ms, probe_stop_ms_max));
	if (found.kind === "refused") {
		held.keep();
		return { kind: "failed", fault: found.fault };
	}
	if (context.signal.aborted) return { kind: "failed", fault: notWanted(context) };
	const spent_ms = context.clock.monotonic() - started_ms;
	return { kind: "legacy", answered: found.answered, spent_ms };
}

async function openLegacy(
	spec: StdioSpec,
	context: DriverContext,
	spent_ms = 0,
): Promise<Result<Opened, Fault>> {
	const spawned = await spawn(spec, context);
	if (!spawned.ok) return spawned;
	const { connection } = spawned.value;
	const wait_ms = Math.max(context.start_ms - spent_ms, context.start_ms / 2);
	const hello = await shakeHands(connection, context, wait_ms);
	if (hello.ok) return succeed(ready(spawned.value, context, hello.value));
	await connection.close();
	return hello;
}

/** A program that has been started and not been spoken to. */
interface Started {
	readonly connection: StdioConnection;
	readonly child: ChildHandle;
}

async function spawn(
	{ command, args, env, cwd }: StdioSpec,
	context: DriverContext,
): Promise<Result<Started, Fault>> {
	const { server, spawner, confinement } = context;
	const child = await spawner.spawn({ server, command, args, env, cwd, confinement });
	if (!child.ok) return child;
	return succeed({ child: child.value, connection: new StdioConnection(child.value, context) });
}

/** Its start is over: what would have made that slow holds now, and its notes are told. */
function ready({ child, connection }: Started, context: DriverContext, hello: Hello): Opened {
	child.settled?.();
	for (const note of child.notes?.() ?? []) context.onLine("event", note);
	return { connection, hello };
}

function notWanted({ server, random }: DriverContext): Fault {
	return new UpstreamFaults(server, random).notStarted("was not wanted any more");
}
