import type { Random } from "../../lib/random.ts";
import type { Channel } from "./channel.ts";
import { LegacyQuestions } from "./legacy-questions.ts";

/** Where a session is told what belongs to no request of it. */
export interface PushChannel extends Channel {
	/** The recorded stream behind it, where there is one. */
	readonly stream: string | undefined;
	end(status?: number): void;
	/** The gateway stops: nothing more is sent, but it can be taken up afterwards. */
	abandon(): void;
}

/** A request of a legacy client that is being served. */
export interface RunningRequest {
	readonly cancel: AbortController;
	readonly reply: Channel;
}

/**
 * What a legacy session has open in this process: requests it may cancel, questions it was
 * asked and has not answered, and its push streams. Lost with the process, which is right:
 * all of it belongs to connections that are lost with it too.
 */
export class LegacySessionState {
	readonly #in_flight = new Map<string, RunningRequest>();
	/** Questions it was asked and has not answered. */
	readonly questions: LegacyQuestions;
	/** The session's push stream, once its client has asked for one. */
	push: PushChannel | undefined;

	/** `ask_prefix` is different in each run of the gateway. */
	constructor(ask_prefix: string) {
		this.questions = new LegacyQuestions(ask_prefix);
	}

	/** Notes a request so that `notifications/cancelled` finds it. `id` is raw JSON. */
	began(id: string, running: RunningRequest): void {
		this.#in_flight.set(id, running);
	}

	ended(id: string, running: RunningRequest): void {
		if (this.#in_flight.get(id) === running) this.#in_flight.delete(id);
	}

	/** Cancels a request of this session; one that is over or unknown is ignored. */
	cancel(id: string): void {
		this.#in_flight.get(id)?.cancel.abort();
	}

	/** A stream to this client that is open now, a request's before a push stream. */
	anyStream(): Channel | undefined {
		for (const { reply } of this.#in_flight.values()) if (reply.takes_streams) return reply;
		return this.push;
	}

	/** The session is over: everything it had open ends. */
	end(): void {
		for (const { cancel } of this.#in_flight.values()) cancel.abort();
		this.push?.abandon();
		this.#in_flight.clear();
		this.questions.clear();
	}
}

/** The open state of all legacy sessions, by session id. */
export class LegacyStates {
	readonly #states = new Map<string, LegacySessionState>();
	readonly #ask_prefix: string;

	constructor(random: Random) {
		this.#ask_prefix = `moorage-${random.bytes(6).toString("base64url")}`;
	}

	/** The state of a session, made on first use. */
	of(session_id: string): LegacySessionState {
		let state = this.#states.get(session_id);
		if (state === undefined) {
			state = new LegacySessionState(this.#ask_prefix);
			this.#states.set(session_id, state);
		}
		return state;
	}

	/** The state of a session that has something open. */
	find(session_id: string): LegacySessionState | undefined {
		return this.#states.get(session_id);
	}

	/** The gateway stops: push streams are let go, to be taken up again afterwards. */
	abandonPushes(): void {
		for (const state of this.#states.values()) state.push?.abandon();
	}

	/** Ends a session and everything it had open. */
	end(session_id: string): void {
		this.#states.get(session_id)?.end();
		this.#states.delete(session_id);
	}
}
