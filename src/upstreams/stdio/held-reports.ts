import type { DriverContext, LineStream } from "../driver.ts";

/** Lines held back; more than these say nothing more about a start. */
const lines_max = 1_000;

/**
 * What a program reports while it is not known yet whether it stays. Its lines are passed on
 * once it does, and forgotten when another takes its place: that one says them again.
 */
export class HeldReports {
	/** For the program: as the one given, but silent until it is kept. */
	readonly context: DriverContext;
	#lines: { stream: LineStream | "odd"; line: string }[] = [];
	#kept = false;
	readonly #to: DriverContext;

	constructor(context: DriverContext) {
		this.#to = context;
		this.context = {
			...context,
			onLine: (stream, line) => this.#take(stream, line),
			onPush: (message) => {
				if (this.#kept) context.onPush(message);
			},
			onRequest: (ask) => {
				if (this.#kept) context.onRequest(ask);
				else ask.answer({ kind: "error", json: '{"code":-32601,"message":"Not ready"}' });
			},
		};
	}

	/** The program stays. */
	keep(): void {
		this.#kept = true;
		for (const { stream, line } of this.#lines) this.#to.onLine(stream, line);
		this.#lines = [];
	}

	#take(stream: LineStream | "odd", line: string): void {
		if (this.#kept) this.#to.onLine(stream, line);
		else if (this.#lines.length < lines_max) this.#lines.push({ stream, line });
	}
}
