/** Length-delimited, 64-bit and varint fields (protobuf.dev, encoding). */
const wire_types = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const initial_bytes = 4_096;
const double_bytes = 8;
const nanos_per_ms = 1_000_000;
/** A varint of a 53-bit number takes no more. */
const varint_bytes_max = 10;
/** Most messages are shorter than 16 KiB, so that their length takes at most two bytes. */
const length_bytes = 2;

/** Writes the fields of a message in the wire format of protocol buffers. */
export class ProtoWriter {
	#buffer = Buffer.allocUnsafe(initial_bytes);
	#at = 0;

	/** A whole number from 0 on, or a boolean; the default value is left out. */
	uint(field: number, value: number): this {
		if (value === 0) return this;
		this.#tag(field, wire_types.varint);
		this.#varint(value);
		return this;
	}

	/** A signed whole number of 64 bits, also where it is 0. */
	int64(field: number, value: number): this {
		this.#tag(field, wire_types.varint);
		if (value >= 0) this.#varint(value);
		else {
			let rest = BigInt.asUintN(64, BigInt(value));
			while (rest > 0x7fn) {
				this.#byte(Number(rest & 0x7fn) | 0x80);
				rest >>= 7n;
			}
			this.#byte(Number(rest));
		}
		return this;
	}

	/** A boolean, also where it is false: for members of a `oneof`. */
	bool(field: number, value: boolean): this {
		this.#tag(field, wire_types.varint);
		this.#byte(value ? 1 : 0);
		return this;
	}

	double(field: number, value: number): this {
		this.#tag(field, wire_types.fixed64);
		this.#room(double_bytes);
		this.#at = this.#buffer.writeDoubleLE(value, this.#at);
		return this;
	}

	fixed64(field: number, value: bigint): this {
		this.#tag(field, wire_types.fixed64);
		this.#room(double_bytes);
		this.#at = this.#buffer.writeBigUInt64LE(value, this.#at);
		return this;
	}

	/**
	 * A time as nanoseconds, from milliseconds with fractions, from 0 on. Without a `bigint`: every
	 * span has two, and each would take longer than all the rest of the field.
	 */
	nanos(field: number, time_ms: number): this {
		this.#tag(field, wire_types.fixed64);
		this.#room(double_bytes);
		const whole_ms = Math.floor(time_ms);
		const rest_ns = Math.floor((time_ms - whole_ms) * nanos_per_ms);
		// whole_ms * nanos_per_ms has more than 53 bits: it is counted in pieces of 2 ** 20 ns.
		const pieces = Math.floor(whole_ms / 2 ** 20) * nanos_per_ms;
		const low = (pieces % 2 ** 12) * 2 ** 20 + (whole_ms % 2 ** 20) * nanos_per_ms + rest_ns;
		const high = Math.floor(pieces / 2 ** 12) + Math.floor(low / 2 ** 32);
		this.#word(low % 2 ** 32);
		this.#word(high);
		return this;
	}

	text(field: number, value: string | undefined): this {
		if (value === undefined || value === "") return this;
		return this.#delimited(field, Buffer.byteLength(value), () => {
			this.#at += this.#buffer.write(value, this.#at);
		});
	}

	/**
	 * A `KeyValue` with a string, in one go: of these there are dozens in every span. The key is a
	 * name of ours and ASCII.
	 */
	textPair(field: number, key: string, value: string): this {
		const key_bytes = key.length;
		const value_bytes = Buffer.byteLength(value);
		const any_bytes = 1 + varintBytes(value_bytes) + value_bytes;
		const pair_bytes =
			1 + varintBytes(key_bytes) + key_bytes + 1 + varintBytes(any_bytes) + any_bytes;
		this.#room(pair_bytes + 2 * varint_bytes_max);
		this.#tag(field, wire_types.bytes);
		this.#varint(pair_bytes);
		this.#tag(1, wire_types.bytes);
		this.#varint(key_bytes);
		this.#at += this.#buffer.write(key, this.#at, "latin1");
		this.#tag(2, wire_types.bytes);
		this.#varint(any_bytes);
		this.#tag(1, wire_types.bytes);
		this.#varint(value_bytes);
		this.#at +=
			value_bytes === value.length
				? this.#buffer.write(value, this.#at, "latin1")
				: this.#buffer.write(value, this.#at);
		return this;
	}

	/** Fields that were written before. */
	raw(fields: Buffer): this {
		this.#room(fields.length);
		this.#at += fields.copy(this.#buffer, this.#at);
		return this;
	}

	/** Bytes written as hex digits. */
	hex(field: number, value: string | undefined): this {
		if (value === undefined) return this;
		const bytes = value.length >> 1;
		this.#tag(field, wire_types.bytes);
		this.#varint(bytes);
		this.#room(bytes);
		// Ids are short: calling into the engine would take longer than this.
		for (let digit = 0; digit < 2 * bytes; digit += 2) {
			const high = hexDigit(value.charCodeAt(digit));
			this.#buffer[this.#at] = (high << 4) | hexDigit(value.charCodeAt(digit + 1));
			this.#at += 1;
		}
		return this;
	}

	packedDoubles(field: number, values: readonly number[]): this {
		return this.#delimited(field, values.length * double_bytes, () => {
			for (const value of values) this.#at = this.#buffer.writeDoubleLE(value, this.#at);
		});
	}

	packedFixed64(field: number, values: readonly number[]): this {
		return this.#delimited(field, values.length * double_bytes, () => {
			for (const value of values) this.#at = this.#buffer.writeBigUInt64LE(BigInt(value), this.#at);
		});
	}

	/** A message within this one; `write` writes its fields. */
	message(field: number, write: (writer: this) => void): this {
		this.#tag(field, wire_types.bytes);
		this.#room(length_bytes);
		const place = this.#at;
		const start = place + length_bytes;
		this.#at = start;
		write(this);
		const length = this.#at - start;
		const needed = varintBytes(length);
		this.#room(needed);
		// The length was not known before: what follows moves where it takes another room.
		if (needed !== length_bytes) this.#buffer.copyWithin(place + needed, start, this.#at);
		this.#at = place;
		this.#varint(length);
		this.#at += length;
		return this;
	}

	/** What was written. */
	finish(): Buffer {
		return this.#buffer.subarray(0, this.#at);
	}

	#delimited(field: number, length: number, write: () => void): this {
		this.#tag(field, wire_types.bytes);
		this.#varint(length);
		this.#room(length);
		write();
		return this;
	}

	#tag(field: number, wire_type: number): void {
		this.#varint((field << 3) | wire_type);
	}

	#varint(value: number): void {
		this.#room(varint_bytes_max);
		let rest = value;
		while (rest > 0x7f) {
			this.#byte((rest % 0x80) | 0x80);
			rest = Math.floor(rest / 0x80);
		}
		this.#byte(rest);
	}

	/** 32 bits, the lowest first; there is room for them. */
	#word(value: number): void {
		const at = this.#at;
		this.#buffer[at] = value;
		this.#buffer[at + 1] = value >>> 8;
		this.#buffer[at + 2] = value >>> 16;
		this.#buffer[at + 3] = value >>> 24;
		this.#at = at + 4;
	}

	#byte(value: number): void {
		this.#room(1);
		this.#buffer[this.#at] = value;
		this.#at += 1;
	}

	#room(bytes: number): void {
		const needed = this.#at + bytes;
		if (needed <= this.#buffer.length) return;
		const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length));
		this.#buffer.copy(larger, 0, 0, this.#at);
		this.#buffer = larger;
	}
}

/** The value of a hex digit, of either case. */
function hexDigit(code: number): number {
	return (code & 0x0f) + (code >= 0x41 ? 9 : 0);
}

function varintBytes(value: number): number {
	let bytes = 1;
	for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes += 1;
	return bytes;
}
