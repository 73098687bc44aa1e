import type { Clock, Timer } from "../../lib/clock.ts";
import type { ChildHandle, GoneReason } from "../driver.ts";

/** How long a program that has let go of one of its streams may take to end. */
const linger_ms = 1000;

/** What a lifetime needs to know, and whom it tells. */
export interface LifetimeOptions {
	readonly clock: Clock;
	readonly stop_ms: number;
	/** Called once, when the program has ended and everything it wrote has been read. */
	onOver(end: GoneReason): void;
}

/**
 * When a program is over. Its last words may still be in the pipe when it has exited, and a
 * grandchild may hold the pipe open for ever; it may close its pipes and go on running. So
 * the end is the exit and the end of stdout, and where only one of them comes, a moment later.
 */
export class Lifetime {
	/** How it ended, once it has. */
	end: GoneReason | undefined = undefined;
	/** True once it was asked to end. */
	is_closing = false;
	readonly #child: ChildHandle;
	readonly #options: LifetimeOptions;
	#exit: GoneReason | undefined;
	#stdout_ended = false;
	#linger: Timer | undefined;
	#closed: Promise<void> | undefined;

	constructor(child: ChildHandle, options: LifetimeOptions) {
		this.#child = child;
		this.#options = options;
		void child.exited.then(({ code, signal }) => this.#exited(code, signal));
		child.stdout.on("close", () => this.#stdoutEnded());
		child.stdout.on("end", () => this.#stdoutEnded());
		child.stdin.on("error", () => this.#severed("closed its standard input"));
		// An error of a stream is followed by its end, which is what counts.
		child.stdout.on("error", () => {});
		child.stderr.on("error", () => {});
	}

	/** True once nothing should be sent any more. */
	get is_ending(): boolean {
		return this.is_closing || this.end !== undefined;
	}

	/** Ends the program; resolves when nothing is left of it. */
	close(stop_ms = this.#options.stop_ms): Promise<void> {
		this.#closed ??= this.#close(stop_ms);
		return this.#closed;
	}

	async #close(stop_ms: number): Promise<void> {
		this.is_closing = true;
		await this.#child.stop(stop_ms);
		this.#finish({ message: "was stopped", exit_code: null, signal: null });
	}

	#exited(code: number | null, signal: string | null): void {
		const plain = signal === null ? `exited with code ${code}` : `was killed by ${signal}`;
		const how = this.#child.end_reason?.() ?? plain;
		const message = this.is_closing ? "was stopped" : how;
		this.#exit = { message, exit_code: code, signal };
		if (this.#stdout_ended) this.#finish(this.#exit);
		else this.#lingerFor(this.#exit);
	}

	#stdoutEnded(): void {
		if (this.#stdout_ended) return;
		this.#stdout_ended = true;
		if (this.#exit !== undefined) this.#finish(this.#exit);
		else this.#severed("closed its standard output");
	}

	/** A server without its pipes cannot be spoken to: it is made to end. */
	#severed(message: string): void {
		if (this.end !== undefined || this.#exit !== undefined || this.is_closing) return;
		this.#lingerFor({ message, exit_code: null, signal: null });
		void this.#child.stop(this.#options.stop_ms);
	}

	#lingerFor(end: GoneReason): void {
		this.#linger?.cancel();
		this.#linger = this.#options.clock.after(linger_ms, () => this.#finish(end));
	}

	#finish(end: GoneReason): void {
		if (this.end !== undefined) return;
		this.#linger?.cancel();
		this.end = end;
		this.#options.onOver(end);
	}
}
