/** What new calls are told while the gateway stops. */
export const shutting_down = {
	code: "gateway_stopping",
	message: "Moorage is shutting down. Try again in a moment.",
} as const;

/**
 * Headers of that answer. A gateway that is started again is there within seconds; the next
 * request needs a connection of its own, because this one leads to the gateway that stops.
 */
export const come_back = { "retry-after": "2", connection: "close" } as const;
