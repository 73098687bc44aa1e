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
	/** Roles that may see it beside `admin`; operators and auditors where it does not say. */
	readonly roles?: readonly string[];
}

/** Receives events. */
export type LiveListener = (event: LiveEvent) => void;

const default_roles: readonly string[] = ["operator", "auditor"];

/** The one place through which live news go. */
export class LiveEvents {
	readonly #listeners = new Map<LiveListener, readonly string[]>();

	/** True while somebody looks: what is costly to find out need not be found out otherwise. */
	get watched(): boolean {
		return this.#listeners.size > 0;
	}

	/** Tells everybody who may know. Listeners that fail hurt nobody else. */
	publish(kind: string, data: unknown, roles: readonly string[] = default_roles): void {
		for (const [listener, held] of this.#listeners) {
			if (!held.includes("admin") && !held.some((role) => roles.includes(role))) continue;
			listener({ kind, data, roles });
		}
	}

	/** Calls `listener` for everything these roles may see, until the returned function is called. */
	subscribe(listener: LiveListener, roles: readonly string[]): () => void {
		this.#listeners.set(listener, roles);
		return () => void this.#listeners.delete(listener);
	}
}
