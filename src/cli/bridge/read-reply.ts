import { SseReader } from "../../wire/sse.ts";
import type { LinkResponse } from "./link.ts";

/** Longest message taken from the gateway; its own limit on servers' replies is far below. */
export const message_bytes_max = 1024 * 1024 * 1024;

/** How a stream of events ended. */
export interface StreamEnd {
	/** The connection broke, rather than being ended. */
	readonly broken: boolean;
	readonly last_event_id: string | undefined;
	/** How long the gateway asks to wait before connecting again. */
	readonly retry_ms: number | undefined;
}

/** True when the response is a stream of events. */
export function isEventStream(response: LinkResponse): boolean {
	return contentType(response).startsWith("text/event-stream");
}

/** The media type of a response, in lower case. */
function contentType(response: LinkResponse): string {
	const value = response.headers["content-type"];
	return (Array.isArray(value) ? (value[0] ?? "") : (value ?? "")).toLowerCase();
}

/** The whole body; undefined when the connection broke before its end. */
export async function readBody(response: LinkResponse): Promise<Buffer | undefined> {
	try {
		const chunks: Buffer[] = [];
		for await (const chunk of response.body) chunks.push(chunk);
		return Buffer.concat(chunks);
	} catch {
		return undefined;
	}
}

/**
 * Reads the messages of a stream of events. The next bytes are taken only when `onMessage` is
 * done with the messages so far, so that a slow reader holds back the gateway.
 */
export async function readEvents(
	response: LinkResponse,
	onMessage: (data: Buffer) => Promise<void>,
): Promise<StreamEnd> {
	let last_event_id: string | undefined;
	let retry_ms: number | undefined;
	let pending: Buffer[] = [];
	const reader = new SseReader({
		event_bytes_max: message_bytes_max,
		onEvent(event) {
			last_event_id = event.id;
			// A priming event has an id and no data.
			if (event.event === "message" && event.data.length > 0) pending.push(event.data);
		},
		onRetry: (asked_ms) => {
			retry_ms = asked_ms;
		},
		onOversize: () => undefined,
	});
	let broken = false;
	try {
		for await (const chunk of response.body) {
			reader.push(chunk);
			const messages = pending;
			pending = [];
			for (const message of messages) await onMessage(message);
		}
	} catch {
		broken = true;
	}
	return { broken, last_event_id, retry_ms };
}
