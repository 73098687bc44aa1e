import type { Context } from "hono";
import type { Clock, Timer } from "../lib/clock.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { Admission } from "./admission.ts";
import { type Caller, callerOf, hasRole } from "./caller.ts";
import type { DashboardSessions } from "./dashboard-sessions.ts";
import { type AdminProblem, problemOf } from "./problem.ts";

/** What streams are opened for. Each has room of its own. */
export type StreamKind = "news" | "plays" | "logs";

/** How many streams of a kind there may be at once. */
interface Room {
	readonly all: number;
	/** Of one person: whoever opens more locks nobody else out. */
	readonly each: number;
	/** Of all, so many are only for those who look after the gateway. */
	readonly kept: number;
}

/** Streams of each kind that may be open at once. */
export const stream_rooms: Readonly<Record<StreamKind, Room>> = {
	news: { all: 64, each: 16, kept: 16 },
	plays: { all: 64, each: 16, kept: 16 },
	logs: { all: 32, each: 16, kept: 8 },
};

/** Whether a stream is still for whoever opened it is looked at so often, beside after changes. */
export const look_ms = 5_000;

/** What streams are held to. */
export interface OpenStreamsOptions {
	readonly clock: Clock;
	readonly admission: Pick<Admission, "isStill">;
	readonly sessions: Pick<DashboardSessions, "onEnd">;
	/** Ends every stream when the gateway stops. */
	readonly signal: AbortSignal;
}

/** A stream that somebody may have. */
export interface OpenStream {
	/** Aborts when it is theirs no more, or the gateway stops. */
	readonly signal: AbortSignal;
	/** It has ended. */
	close(): void;
}

interface Held {
	readonly kind: StreamKind;
	readonly caller: Caller;
	readonly end: AbortController;
	/** Whether its caller would be let in again. */
	isTheirs(): Promise<boolean>;
}

/**
 * The streams of the admin API that are open. Who may have one is found out when it is asked for,
 * as with every request; but a stream lasts. So it is ended as soon as its session, its person or a
 * role of theirs is gone: at once where that is done here, within seconds where time or others do
 * it.
 */
export class OpenStreams {
	readonly #options: OpenStreamsOptions;
	readonly #open = new Set<Held>();
	#timer: Timer | undefined;

	constructor(options: OpenStreamsOptions) {
		this.#options = options;
		options.sessions.onEnd((session_id) => {
			for (const { caller, end } of this.#open) {
				if (caller.session_id === session_id) end.abort();
			}
		});
	}

	/** A stream for whoever sent a request; a problem where there are too many. */
	open(kind: StreamKind, context: Context): Result<OpenStream, AdminProblem> {
		const caller = callerOf(context);
		const full = this.#problemOf(kind, caller);
		if (full !== undefined) return fail(full);
		const { admission, signal } = this.#options;
		const end = new AbortController();
		const isTheirs = () => admission.isStill(caller, context);
		const held: Held = { kind, caller, end, isTheirs };
		this.#open.add(held);
		this.#timer ??= this.#lookLater();
		const close = () => {
			this.#open.delete(held);
			if (this.#open.size > 0) return;
			this.#timer?.cancel();
			this.#timer = undefined;
		};
		return succeed({ signal: AbortSignal.any([end.signal, signal]), close });
	}

	/** Ends those whose callers would not be let in again as they were: something has changed. */
	look(): void {
		for (const { isTheirs, end } of this.#open) {
			// What cannot be found out is not known to be theirs.
			isTheirs().then(
				(theirs) => theirs || end.abort(),
				() => end.abort(),
			);
		}
	}

	#lookLater(): Timer {
		return this.#options.clock.afterIdle(look_ms, () => {
			this.look();
			this.#timer = this.#lookLater();
		});
	}

	#problemOf(kind: StreamKind, caller: Caller): AdminProblem | undefined {
		const { all, each, kept } = stream_rooms[kind];
		const open = [...this.#open].filter((one) => one.kind === kind);
		const theirs = open.filter((one) => one.caller.principal.id === caller.principal.id);
		if (theirs.length >= each) {
			const message = `You have ${each} streams open already.`;
			return { ...problemOf("overloaded", message), next: "Close a page that you need no more." };
		}
		const room = hasRole(caller, ["operator"]) ? all : all - kept;
		return open.length < room ? undefined : problemOf("overloaded", "Too many streams are open.");
	}
}
