import type { Log } from "../telemetry/log.ts";
import type { HostingEvents } from "./surroundings.ts";

/**
 * Supervision must go on whatever a handler does: what one throws is logged as the defect it
 * is and goes no further.
 */
export function guarded<Args extends unknown[]>(
	handler: (...args: Args) => void,
	log: Log,
): (...args: Args) => void {
	return (...args) => {
		try {
			handler(...args);
		} catch (error) {
			const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
			log.error({ detail }, "a handler of hosting events failed");
		}
	};
}

/** The same events, none of which throws. */
export function guardEvents(events: HostingEvents, log: Log): HostingEvents {
	return {
		onReady: guarded((key, upstream) => events.onReady(key, upstream), log),
		onPush: guarded((key, message) => events.onPush(key, message), log),
		onRequest: guarded((key, ask, askers) => events.onRequest(key, ask, askers), log),
		onState: guarded((status) => events.onState(status), log),
		onRetired: guarded((key, upstream) => events.onRetired?.(key, upstream), log),
	};
}
