import type { LineStream } from "../upstreams/driver.ts";
import type { Recovery } from "./backoff.ts";
import type { Failure } from "./failure.ts";
import { LineRing } from "./lines.ts";
import { Oddities } from "./oddities.ts";
import type { Surroundings } from "./surroundings.ts";

/** Writes down what happens to one server: lines for its owner, and log lines for the gateway's. */
export class Journal {
	readonly lines: LineRing;
	readonly oddities: Oddities;
	readonly #server: string;
	readonly #around: Surroundings;
	#instances = 0;

	constructor(server: string, around: Surroundings) {
		this.#server = server;
		this.#around = around;
		this.lines = new LineRing(around.clock, around.redactor);
		this.oddities = new Oddities(around.clock, around.redactor);
	}

	/** The number of a new instance: unique among all versions of the server. */
	nextInstance(): number {
		this.#instances += 1;
		return this.#instances;
	}

	/** A change of state, or another event worth a line. `instance` 0 is the server itself. */
	note(text: string, instance = 0): void {
		this.lines.push("event", instance, text);
		this.#around.log.debug({ server: this.#server, instance }, text);
	}

	/** What an instance wrote, or its driver says of it. */
	take(stream: LineStream | "odd", instance: number, line: string): void {
		if (stream === "odd") this.noteOddity(line, instance);
		else this.lines.push(stream, instance, line);
	}

	/** It did something that no server should: counted, and told as long as that is no flood. */
	noteOddity(text: string, instance = 0): void {
		const told = this.oddities.count(text);
		if (told !== undefined) this.note(told, instance);
	}

	/** It takes calls from now on. */
	noteReady(revision: string, instance: number): void {
		const text = `ready, speaking ${revision}`;
		this.lines.push("event", instance, text);
		this.#around.log.info({ server: this.#server, instance }, text);
	}

	/** Something went wrong. A crash loop is louder than one failure. */
	noteFailure(recovery: Recovery, failure: Failure, instance: number): void {
		const wait_ms = (recovery.retry_at_ms ?? 0) - this.#around.clock.monotonic();
		const next = `Next try in ${(Math.max(0, wait_ms) / 1000).toFixed(1)} s.`;
		const text = `${recovery.failed ? "failed: " : ""}${failure.reason} ${next}`;
		this.lines.push("event", instance, text);
		const fields = {
			server: this.#server,
			instance,
			code: failure.code,
			failures: recovery.failures,
			detail: failure.detail,
		};
		if (recovery.failed) this.#around.log.error(fields, text);
		else this.#around.log.warn(fields, text);
	}
}
