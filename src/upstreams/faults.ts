import type { Random } from "../lib/random.ts";
import { type Fault, type FaultParts, makeFault } from "../protocol/fault.ts";
import { isListMethod } from "../protocol/methods.ts";

/** What a fault needs to know of the call it ends. */
export interface FaultedCall {
	readonly request: { readonly message: { readonly method: string | undefined } };
	/** True once the server may have seen the request. */
	readonly written: boolean;
}

/** Requests that change nothing on a server, so that sending them again is harmless. */
function isHarmless(method: string | undefined): boolean {
	if (method === undefined) return false;
	if (isListMethod(method)) return true;
	return ["ping", "server/discover", "completion/complete"].includes(method);
}

/** Why authorization with a server did not come about. */
export interface AuthProblem {
	readonly code: "authorization_required" | "authorization_failed";
	/** A sentence that says what to do next. */
	readonly advice: string;
}

function rejectionCode(status: number): FaultParts["code"] {
	if (status === 401) return "authorization_required";
	return status === 403 ? "authorization_failed" : "server_rejected";
}

/** The faults of one server, in sentences. */
export class UpstreamFaults {
	readonly #server: string;
	readonly #random: Random;

	constructor(server: string, random: Random) {
		this.#server = server;
		this.#random = random;
	}

	/** The client cancelled the call. */
	cancelled(call: FaultedCall): Fault {
		const message = `The call to server "${this.#server}" was cancelled.`;
		return this.#make("call_cancelled", message, { level: "debug", call });
	}

	/** No answer and no progress for `call_ms`. */
	timeout(call: FaultedCall, call_ms: number): Fault {
		const message =
			`Server "${this.#server}" did not answer ${call.request.message.method} within ` +
			`${seconds(call_ms)}. It may still be working on it: check before repeating the ` +
			"call, or raise the server's call timeout.";
		return this.#make("call_timeout", message, { call });
	}

	/** The client of the call has left what came unread for so long that nobody waits any more. */
	unread(call: FaultedCall, unread_ms: number): Fault {
		const message =
			`The call to server "${this.#server}" was given up: its client has not read what came ` +
			`for ${seconds(unread_ms)}. Whether the call took effect is unknown: check before ` +
			"repeating it, and read the answer as it comes.";
		return this.#make("call_timeout", message, { call });
	}

	/** The server went away; `reason` continues "it ...". */
	exited(call: FaultedCall, reason: string): Fault {
		const fate = call.written
			? "Whether the call took effect is unknown: check before repeating it."
			: "The call had not reached it and can be repeated.";
		const message = `Server "${this.#server}" went away during the call: it ${reason}. ${fate}`;
		return this.#make("server_exited", message, { call });
	}

	/** A request came when the connection was already over. */
	gone(): Fault {
		const message =
			`Server "${this.#server}" is not running any more. ` +
			"The call had not reached it and can be repeated.";
		return this.#make("server_exited", message, { level: "info", retry_safe: true });
	}

	/** It could not be started or never became usable; `reason` continues "it ...". */
	notStarted(reason: string, more: Pick<FaultParts, "detail" | "exit_code"> = {}): Fault {
		const message =
			`Server "${this.#server}" could not be started: it ${reason}. ` +
			"Look at its log lines for the cause.";
		return this.#make("server_failed", message, { ...more, retry_safe: true });
	}

	/** It answers, but not as the protocol says; `what` continues "it ...". */
	protocol(what: string, call?: FaultedCall, detail?: string): Fault {
		const message =
			`Server "${this.#server}" broke the protocol: it ${what}. ` +
			"Report this to the server's author.";
		return this.#make("server_protocol", message, { call, detail });
	}

	/** It speaks no revision that Moorage speaks. */
	noCommonRevision(offered: string): Fault {
		const message =
			`Server "${this.#server}" speaks no protocol revision that Moorage speaks ` +
			`(it offers ${offered}). Update the server or Moorage.`;
		return this.#make("not_supported", message, { retry_safe: true });
	}

	/** Its reply is longer than `limit_bytes`. */
	tooLarge(limit_bytes: number, call?: FaultedCall): Fault {
		const message =
			`The reply of server "${this.#server}" is larger than the limit of ` +
			`${megabytes(limit_bytes)}. Ask for less at once, or raise the limit.`;
		// The server has done its work; asking again does it again.
		return this.#make("reply_too_large", message, { call });
	}

	/** Too much waits to be written to it. */
	queueFull(): Fault {
		const message =
			`Server "${this.#server}" does not read its requests as fast as they come. ` +
			"The call was not sent; try again in a moment.";
		return this.#make("queue_full", message, { retry_safe: true });
	}

	/** No connection to `target`; `reason` stands in parentheses. */
	unreachable(target: string, reason: string, call?: FaultedCall): Fault {
		const message =
			`Server "${this.#server}" at ${target} cannot be reached (${reason}). ` +
			"Check that it is running and that its address is right.";
		const retry_safe = call === undefined ? true : undefined;
		return this.#make("server_unreachable", message, { call, retry_safe });
	}

	/** It refused over HTTP; `advice` is a sentence. */
	rejected(target: string, status: number, advice: string, call?: FaultedCall): Fault {
		const message = `Server "${this.#server}" at ${target} refused with HTTP ${status}. ${advice}`;
		// What a server refuses as the client's mistake it has not begun to carry out.
		const retry_safe = status < 500 ? true : undefined;
		return this.#make(rejectionCode(status), message, { call, retry_safe });
	}

	/** Authorization with it did not come about. */
	unauthorized(target: string, problem: AuthProblem, call?: FaultedCall): Fault {
		const message = `Server "${this.#server}" at ${target} wants authorization. ${problem.advice}`;
		return this.#make(problem.code, message, { call, retry_safe: true });
	}

	/** A defect of our own, or a setting that cannot work; `message` is a whole sentence. */
	internal(message: string, detail: string): Fault {
		return this.#make("internal", message, { level: "error", detail, retry_safe: true });
	}

	#make(
		code: FaultParts["code"],
		message: string,
		more: {
			call?: FaultedCall | undefined;
			level?: FaultParts["level"];
			detail?: string | undefined;
			retry_safe?: boolean | undefined;
			exit_code?: number | undefined;
		},
	): Fault {
		const { call, level = "warn", detail, exit_code } = more;
		const untouched = call !== undefined && (!call.written || methodIsHarmless(call));
		const retry_safe = more.retry_safe ?? untouched;
		return makeFault(this.#random, {
			code,
			message,
			detail,
			level,
			server: this.#server,
			retry_safe,
			...(exit_code === undefined ? {} : { exit_code }),
		});
	}
}

function methodIsHarmless(call: FaultedCall): boolean {
	return isHarmless(call.request.message.method);
}

function seconds(duration_ms: number): string {
	return duration_ms >= 1000 ? `${duration_ms / 1000} s` : `${duration_ms} ms`;
}

function megabytes(bytes: number): string {
	return bytes >= 1e6 ? `${Math.round(bytes / 1e5) / 10} MB` : `${bytes} bytes`;
}
