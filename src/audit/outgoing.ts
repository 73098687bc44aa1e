import type { SharedSlot, SharedSlots } from "../lib/shared-slots.ts";
import { CallBatch } from "../telemetry/packed/call-batch.ts";
import type { PackedCall } from "../telemetry/packed/pack-call.ts";
import type { Purpose } from "./entries.ts";
import { type AppendMessage, no_owner, type OwnerTuple, payload_lost } from "./messages.ts";

/** An entry and its payloads. */
export interface Entry {
	/** A call, or JSON without its closing brace. */
	readonly what: PackedCall | string;
	/** What is made of a call. */
	readonly purpose: Purpose;
	readonly owner: OwnerTuple;
	readonly input: Buffer | undefined;
	readonly output: Buffer | undefined;
}

/** Entries of one message at the most. */
const entries_max = 1_000;

/** Entries that are gathered, in shared memory, to be sent to the worker as one message. */
export class Outgoing {
	payload_bytes = 0;
	readonly #slots: SharedSlots;
	readonly #batch: CallBatch;
	#payloads: SharedSlot | undefined;
	readonly #sizes: number[] = [];
	readonly #owners: OwnerTuple[] = [];
	/** Where the owner of the last entries stands: most often the next has the same. */
	#owner = no_owner;

	constructor(slots: SharedSlots) {
		this.#slots = slots;
		this.#batch = new CallBatch(slots, entries_max);
	}

	/** How many. */
	get entries(): number {
		return this.#batch.rows;
	}

	/** Whether an entry fits. Into an empty one everything does. */
	fits({ what }: Entry, payload_bytes: number): boolean {
		if (this.entries === 0) return true;
		if (!this.#batch.fits(typeof what === "string" ? what : what.text)) return false;
		const { length = 0 } = this.#payloads?.bytes ?? {};
		return payload_bytes === 0 || length === 0 || length - this.payload_bytes >= payload_bytes;
	}

	/** Adds an entry that fits; the payloads are copied. */
	add({ what, purpose, owner, input, output }: Entry): void {
		const input_bytes = input?.length ?? 0;
		const output_bytes = output?.length ?? 0;
		const payload_bytes = input_bytes + output_bytes;
		this.#addEntry(what, purpose, payload_bytes === 0 ? no_owner : this.#indexOf(owner));
		this.#sizes.push(input_bytes, output_bytes);
		if (payload_bytes === 0) return;
		this.#payloads ??= this.#slots.take(payload_bytes);
		input?.copy(this.#payloads.bytes, this.payload_bytes);
		output?.copy(this.#payloads.bytes, this.payload_bytes + input_bytes);
		this.payload_bytes += payload_bytes;
	}

	/** Adds an entry that fits, but for its payload: it says that it has lost it. */
	addWithoutPayload({ what, purpose }: Entry): void {
		this.#addEntry(what, purpose, payload_lost);
		this.#sizes.push(0, 0);
	}

	/** The message. */
	message(about: Pick<AppendMessage, "batch" | "now_ms" | "lost" | "secrets">): AppendMessage {
		return {
			...about,
			kind: "append",
			entries: this.#batch.message(),
			sizes: Int32Array.from(this.#sizes),
			owners: this.#owners,
			payloads: this.#payloads?.memory,
		};
	}

	/** Gives the memory back, once the message has been dealt with. */
	release(): void {
		this.#batch.release();
		if (this.#payloads !== undefined) this.#slots.giveBack(this.#payloads);
		this.#payloads = undefined;
	}

	#addEntry(what: PackedCall | string, purpose: Purpose, owner: number): void {
		if (typeof what === "string") this.#batch.addText(what);
		else this.#batch.add(what, purpose);
		this.#sizes.push(owner);
	}

	#indexOf([tenant, user, risk]: OwnerTuple): number {
		if (isSame(this.#owners[this.#owner], tenant, user, risk)) return this.#owner;
		this.#owner = this.#owners.findIndex((known) => isSame(known, tenant, user, risk));
		if (this.#owner < 0) this.#owner = this.#owners.push([tenant, user, risk]) - 1;
		return this.#owner;
	}
}

function isSame(owner: OwnerTuple | undefined, tenant: string, user: string, risk: string) {
	return owner?.[0] === tenant && owner[1] === user && owner[2] === risk;
}
