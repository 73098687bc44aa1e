import type { Log } from "../../src/telemetry/log.ts";

/** One line that would have been logged. */
export interface QuietLine {
	readonly level: "debug" | "info" | "warn" | "error";
	readonly fields: object;
	readonly message: string;
}

/** A log that keeps its lines instead of writing them. */
export class QuietLog implements Log {
	readonly lines: QuietLine[] = [];

	debug(fields: object, message: string): void {
		this.lines.push({ level: "debug", fields, message });
	}

	info(fields: object, message: string): void {
		this.lines.push({ level: "info", fields, message });
	}

	warn(fields: object, message: string): void {
		this.lines.push({ level: "warn", fields, message });
	}

	error(fields: object, message: string): void {
		this.lines.push({ level: "error", fields, message });
	}

	child(): Log {
		return this;
	}

	async flush(): Promise<void> {}
}
