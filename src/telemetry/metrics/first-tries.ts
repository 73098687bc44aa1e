import type { CallRecord } from "../call-record.ts";
import type { Counter } from "./instruments.ts";
import type { Registry } from "./registry.ts";

/** A correction that comes later than this is another try. */
const retry_ms_max = 5 * 60_000;
/** Callers whose last arguments were refused; the oldest is forgotten for a new one. */
const pending_max = 10_000;

/** Codes that say that a tool's arguments do not fit its schema. */
const rejected_codes: ReadonlySet<string> = new Set(["arguments_invalid", "rpc_-32602"]);

/** A tool by its labels, and what counts its first tries that fit, once there was one. */
export interface FirstTry {
	readonly server: string;
	readonly tool: string;
	accepted: Counter | undefined;
}

/**
 * How well models call tools: whether the arguments of a first try fit, and what becomes of the
 * next try where they did not.
 */
export class FirstTries {
	readonly #first;
	readonly #retries;
	/** Until when the next call of a caller to a tool is a retry. */
	readonly #pending = new Map<string, number>();

	constructor(registry: Registry) {
		this.#first = registry.counter({
			name: "moorage.tool.first_tries",
			help: "First tries of tool calls, by whether their arguments fit the tool's schema.",
			unit: "1",
			labels: ["server", "tool", "outcome"],
		});
		this.#retries = registry.counter({
			name: "moorage.tool.retries",
			help: "Next tries after arguments that did not fit, by whether they fit now.",
			unit: "1",
			labels: ["server", "tool", "outcome"],
		});
	}

	/** Calls that say nothing of arguments are left out. */
	count(record: CallRecord, of: FirstTry): void {
		if (record.status === "ok" && this.#pending.size === 0) {
			// So it is nearly always.
			of.accepted ??= this.#first.get(of.server, of.tool, "accepted");
			of.accepted.value += 1;
		} else this.#count(record, of);
	}

	#count(record: CallRecord, { server, tool }: FirstTry): void {
		const rejected = record.code !== undefined && rejected_codes.has(record.code);
		// Refused for another reason before anybody looked at the arguments.
		if (!rejected && record.status === "client_error") return;
		const outcome = rejected ? "rejected" : "accepted";
		const key = rejected || this.#pending.size > 0 ? callerKey(record) : "";
		const until_ms = key === "" ? undefined : this.#pending.get(key);
		const is_retry = until_ms !== undefined && record.ts_ms <= until_ms;
		(is_retry ? this.#retries : this.#first).get(server, tool, outcome).add();
		if (until_ms !== undefined) this.#pending.delete(key);
		if (!rejected) return;
		if (this.#pending.size >= pending_max) {
			const [oldest] = this.#pending.keys();
			if (oldest !== undefined) this.#pending.delete(oldest);
		}
		this.#pending.set(key, record.ts_ms + retry_ms_max);
	}
}

function callerKey({ session_id, principal, client_id, server, name }: CallRecord): string {
	return `${session_id ?? `${principal} ${client_id ?? ""}`}\0${server ?? ""}\0${name ?? ""}`;
}
