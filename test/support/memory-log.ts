import type { FaultLevel } from "../../src/protocol/fault.ts";
import type { Log } from "../../src/telemetry/log.ts";

/** One line as it was logged, with the fields of the log it was logged through. */
export interface MemoryLine {
	readonly level: FaultLevel;
	readonly fields: Readonly<Record<string, unknown>>;
	readonly message: string;
}

/** A log that keeps its lines, for tests to look at. */
export class MemoryLog implements Log {
	/** All lines of this log and of its children, in order. */
	readonly lines: MemoryLine[];
	readonly #fields: object;

	constructor(lines: MemoryLine[] = [], fields: object = {}) {
		this.lines = lines;
		this.#fields = fields;
	}

	debug(fields: object, message: string): void {
		this.#keep("debug", fields, message);
	}

	info(fields: object, message: string): void {
		this.#keep("info", fields, message);
	}

	warn(fields: object, message: string): void {
		this.#keep("warn", fields, message);
	}

	error(fields: object, message: string): void {
		this.#keep("error", fields, message);
	}

	child(fields: object): MemoryLog {
		return new MemoryLog(this.lines, { ...this.#fields, ...fields });
	}

	flush(): Promise<void> {
		return Promise.resolve();
	}

	/** The messages of a level, or of all levels. */
	messages(level?: FaultLevel): string[] {
		return this.lines
			.filter((line) => level === undefined || line.level === level)
			.map((line) => line.message);
	}

	#keep(level: FaultLevel, fields: object, message: string): void {
		this.lines.push({ level, fields: { ...this.#fields, ...fields }, message });
	}
}
