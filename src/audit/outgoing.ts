import type { SharedSlot, SharedSlots } from "../lib/shared-slots.ts";
import type { AppendMessage, OwnerTuple } from "./messages.ts";

const newline = 0x0a;

/** Entries that are gathered, in shared memory, to be sent to the worker as one message. */
export class Outgoing {
	/** How many. */
	entries = 0;
	payload_bytes = 0;
	readonly #slots: SharedSlots;
	#json: SharedSlot | undefined;
	#json_bytes = 0;
	#payloads: SharedSlot | undefined;
	readonly #sizes: number[] = [];
	readonly #owners: OwnerTuple[] = [];
	/** Where the owner of the last entries stands: most often the next has the same. */
	#owner = -1;

	constructor(slots: SharedSlots) {
		this.#slots = slots;
	}

	/** Whether an entry fits. Into an empty one everything does. */
	fits(json: string, payload_bytes: number): boolean {
		if (this.entries === 0) return true;
		const json_room = (this.#json?.bytes.length ?? 0) - this.#json_bytes;
		if (json_room < bytesAtMost(json)) return false;
		const { length = 0 } = this.#payloads?.bytes ?? {};
		return payload_bytes === 0 || length === 0 || length - this.payload_bytes >= payload_bytes;
	}

	/** Adds an entry that fits; the payloads are copied. */
	add(
		json: string,
		owner: OwnerTuple,
		input: Buffer | undefined,
		output: Buffer | undefined,
	): void {
		this.#json ??= this.#slots.take(bytesAtMost(json));
		const { bytes } = this.#json;
		this.#json_bytes += bytes.write(json, this.#json_bytes, "utf8");
		bytes[this.#json_bytes] = newline;
		this.#json_bytes += 1;
		this.entries += 1;
		const input_bytes = input?.length ?? 0;
		const output_bytes = output?.length ?? 0;
		const payload_bytes = input_bytes + output_bytes;
		this.#sizes.push(payload_bytes === 0 ? -1 : this.#indexOf(owner), input_bytes, output_bytes);
		if (payload_bytes === 0) return;
		this.#payloads ??= this.#slots.take(payload_bytes);
		input?.copy(this.#payloads.bytes, this.payload_bytes);
		output?.copy(this.#payloads.bytes, this.payload_bytes + input_bytes);
		this.payload_bytes += payload_bytes;
	}

	/** The message. */
	message(batch: number, now_ms: number, lost: number): AppendMessage {
		return {
			kind: "append",
			batch,
			entries: this.#json?.memory ?? new SharedArrayBuffer(0),
			entries_bytes: this.#json_bytes,
			sizes: Int32Array.from(this.#sizes),
			owners: this.#owners,
			payloads: this.#payloads?.memory,
			now_ms,
			lost,
		};
	}

	/** Gives the memory back, once the message has been dealt with. */
	release(): void {
		if (this.#json !== undefined) this.#slots.giveBack(this.#json);
		if (this.#payloads !== undefined) this.#slots.giveBack(this.#payloads);
		this.#json = undefined;
		this.#payloads = undefined;
	}

	#indexOf([tenant, user, risk]: OwnerTuple): number {
		if (isSame(this.#owners[this.#owner], tenant, user, risk)) return this.#owner;
		this.#owner = this.#owners.findIndex((known) => isSame(known, tenant, user, risk));
		if (this.#owner < 0) this.#owner = this.#owners.push([tenant, user, risk]) - 1;
		return this.#owner;
	}
}

/** UTF-8 has at most three bytes for a unit of a JavaScript text; and there is a newline. */
function bytesAtMost(json: string): number {
	return json.length * 3 + 1;
}

function isSame(owner: OwnerTuple | undefined, tenant: string, user: string, risk: string) {
	return owner?.[0] === tenant && owner[1] === user && owner[2] === risk;
}
