import type { EventListener, ReaderEnd, StreamEvent } from "../../src/sessions/event-reader.ts";

/** A listener that keeps what it is told. */
export class EventRecorder implements EventListener {
	readonly events: StreamEvent[] = [];
	readonly ends: ReaderEnd[] = [];

	onEvent(event: StreamEvent): void {
		this.events.push(event);
	}

	onEnd(reason: ReaderEnd): void {
		this.ends.push(reason);
	}

	/** The data of the events, as text. */
	get texts(): string[] {
		return this.events.map((event) => event.data.toString());
	}

	/** The id of the last event. */
	get last_id(): string {
		return this.events.at(-1)?.id ?? "";
	}
}
