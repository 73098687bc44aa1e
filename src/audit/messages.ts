import type { PackedCalls } from "../telemetry/packed/layout.ts";

/** What the gateway and the worker that writes the audit log say to each other. */

/** What the worker is started with. */
export interface AuditWorkerData {
	/** Absolute audit folder. */
	readonly folder: string;
	/** Seed of the signing key, and the key that payload keys are sealed with. */
	readonly seed: Uint8Array;
	readonly box_key: Uint8Array;
	readonly segment_bytes_max: number;
	/** Longest part of a payload that is kept. */
	readonly payload_bytes_max: number;
	readonly retention: AuditRetention;
}

/** The same, and how the thread is told that somebody waits for it. */
export interface AuditThreadData extends AuditWorkerData {
	readonly hurry: SharedArrayBuffer;
}

/** How long payloads and entries are kept, in milliseconds. */
export interface AuditRetention {
	readonly keep_ms: number;
	/** By class of the calls, where that differs. */
	readonly risks: Readonly<Record<string, number>>;
	/** By tenant, where that differs; its own classes win over everything. */
	readonly tenants: Readonly<
		Record<
			string,
			{ readonly keep_ms: number | undefined; readonly risks: Readonly<Record<string, number>> }
		>
	>;
}

/** Whose payloads they are: tenant, user and class. */
export type OwnerTuple = readonly [tenant: string, user: string, risk: string];

/** In the place of an owner: an entry without payloads, and one that has lost them. */
export const no_owner = -1;
export const payload_lost = -2;

/** Values that the worker does not know yet, and those that are good for nothing any more. */
export interface NewSecrets {
	readonly values: readonly string[];
	readonly tokens: readonly string[];
	readonly forgotten: readonly string[];
	/** Whether all others are good for nothing any more. */
	readonly are_all: boolean;
}

/** Entries to append, all in one. */
export interface AppendMessage {
	readonly kind: "append";
	/** Counts up; told back when it is on the disk. */
	readonly batch: number;
	/** Calls, and entries as JSON objects without the closing brace. */
	readonly entries: PackedCalls;
	/**
	 * For each entry three numbers: index of its owner, `no_owner` or `payload_lost`; bytes of its
	 * input; of its output.
	 */
	readonly sizes: Int32Array;
	readonly owners: readonly OwnerTuple[];
	/** What is to be taken out of payloads from now on, those of this message included. */
	readonly secrets: NewSecrets | undefined;
	/** The payloads one behind the other, as they came; absent where there are none. */
	readonly payloads: SharedArrayBuffer | undefined;
	readonly now_ms: number;
	/** Entries that were given up before they could be sent. */
	readonly lost: number;
}

/** What the worker may be asked. */
export type Question = { readonly kind: "ask" } & (
	| { readonly ask: "erase"; readonly tenant: string; readonly user: string }
	| { readonly ask: "retain"; readonly now_ms: number }
	| { readonly ask: "close" }
);

/** A question that is answered with `WorkerAnswer`. */
export type QuestionMessage = Question & { readonly id: number };

/** What the worker is told. */
export type ToWorker = AppendMessage | QuestionMessage;

/** Everything up to this batch was tried; from `failed` on it is not in the log. */
export interface DoneMessage {
	readonly kind: "done";
	readonly batch: number;
	/** Whether the entries are on the disk. */
	readonly kept: boolean;
	/** Entries that were kept without their payloads. */
	readonly payloads_lost: number;
	/** Code of the error, such as `ENOSPC`. */
	readonly error: string | undefined;
}

/** The same as the worker says it. */
export interface TimedDoneMessage extends DoneMessage {
	/** How long it took to seal, to write and to wait for the disk. */
	readonly append_ms: number;
}
