import { type AdminRole, type Caller, hasRole } from "./caller.ts";

/**
 * What happens while somebody looks: every room that has news publishes them here, and
 * `GET /api/events` passes them on. Nothing is kept for those who are not there.
 */

/** One event, as it goes out. */
export interface LiveEvent {
	/** What kind of news: `state`, `catalog`, `stats`, `reloaded`, `call`, `approval`, `alert`, … */
	readonly kind: string;
	/** JSON-serialisable; never payloads or secrets. */
	readonly data: unknown;
}

/** Who looks. */
export type Watcher = Pick<Caller, "principal" | "roles">;

/** Who may see an event: roles beside `admin`, or whoever is said yes to, admins included. */
export type Viewers = readonly AdminRole[] | ((who: Watcher) => boolean);

/** Receives events. */
export type LiveListener = (event: LiveEvent) => void;

const default_viewers: Viewers = ["operator", "auditor"];

/** The one place through which live news go. */
export class LiveEvents {
	readonly #listeners = new Map<LiveListener, Watcher>();

	/** True while somebody looks: what is costly to find out need not be found out otherwise. */
	get watched(): boolean {
		return this.#listeners.size > 0;
	}

	/** Tells everybody who may know: operators and auditors where it does not say whom. */
	publish(kind: string, data: unknown, viewers: Viewers = default_viewers): void {
		for (const [listener, who] of this.#listeners) {
			const may = typeof viewers === "function" ? viewers(who) : hasRole(who, viewers);
			if (may) listener({ kind, data });
		}
	}

	/** Calls `listener` for everything this person may see, until the returned function is called. */
	subscribe(listener: LiveListener, who: Watcher): () => void {
		this.#listeners.set(listener, who);
		return () => void this.#listeners.delete(listener);
	}
}
