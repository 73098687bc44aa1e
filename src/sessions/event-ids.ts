/**
 * Ids of events as clients see them: `<stream>-<number>`, with a `.` behind that of a stream's
 * last event. The stream is 96 random bits, so an
 * id says nothing about any other stream and cannot be guessed; the number orders the events
 * (2025-11-25, transports, resumability: ids are unique within a session and name the stream).
 */
export interface EventPlace {
	readonly stream: string;
	/** 0 is the place before the first event. */
	readonly seq: number;
	/** Nothing follows: a client that comes back with this has everything. */
	readonly last: boolean;
}

/** Random bytes in the name of a stream. */
export const stream_bytes = 12;

const event_id = /^([A-Za-z0-9_-]{16})-(0|[1-9a-z][0-9a-z]{0,10})(\.?)$/;

/**
 * The id of an event. The last one of a stream says so itself, because it reaches its client
 * before it is in the store: whoever comes back with it after a crash is not answered again.
 */
export function formatEventId(stream: string, seq: number, last = false): string {
	return `${stream}-${seq.toString(36)}${last ? "." : ""}`;
}

/** What an id says; undefined when it is none of ours. */
export function parseEventId(id: string): EventPlace | undefined {
	const match = event_id.exec(id);
	if (match === null) return undefined;
	const seq = Number.parseInt(match[2] as string, 36);
	return Number.isSafeInteger(seq)
		? { stream: match[1] as string, seq, last: match[3] === "." }
		: undefined;
}
