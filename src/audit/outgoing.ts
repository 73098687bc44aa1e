import type { AppendMessage, OwnerTuple } from "./messages.ts";

/** Entries that are gathered to be sent to the worker as one message. */
export class Outgoing {
	/** How many. */
	entries = 0;
	payload_bytes = 0;
	#json = "";
	readonly #sizes: number[] = [];
	readonly #payloads: Buffer[] = [];
	readonly #owners: OwnerTuple[] = [];
	/** Where the owner of the last entries stands: most often the next has the same. */
	#owner = -1;

	add(
		json: string,
		owner: OwnerTuple,
		input: Buffer | undefined,
		output: Buffer | undefined,
	): void {
		this.#json = this.entries === 0 ? json : `${this.#json}\n${json}`;
		this.entries += 1;
		const input_bytes = input?.length ?? 0;
		const output_bytes = output?.length ?? 0;
		const bytes = input_bytes + output_bytes;
		this.#sizes.push(bytes === 0 ? -1 : this.#indexOf(owner), input_bytes, output_bytes);
		if (bytes === 0) return;
		if (input !== undefined) this.#payloads.push(input);
		if (output !== undefined) this.#payloads.push(output);
		this.payload_bytes += bytes;
	}

	/** The message; its payloads are copied into memory that can be given away. */
	message(batch: number, now_ms: number, lost: number): AppendMessage {
		const payloads = new Uint8Array(this.payload_bytes);
		let at = 0;
		for (const payload of this.#payloads) {
			payloads.set(payload, at);
			at += payload.length;
		}
		return {
			kind: "append",
			batch,
			entries: this.#json,
			sizes: Int32Array.from(this.#sizes),
			owners: this.#owners,
			payloads,
			now_ms,
			lost,
		};
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
