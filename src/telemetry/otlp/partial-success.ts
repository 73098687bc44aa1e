const wire_varint = 0;
const wire_fixed64 = 1;
const wire_bytes = 2;
const wire_fixed32 = 5;

/**
 * How many items a collector rejected although it took the request: `partial_success.rejected_*`
 * of an export response (OTLP 1.x), in protobuf or, as some answer, in JSON. Undefined where the
 * bytes are no export response: then nobody knows who answered, or what became of the items.
 */
export function rejectedItems(reply: Buffer): number | undefined {
	if (reply[0] === brace) return rejectedInJson(reply);
	const response = readFields(reply);
	if (response === undefined) return undefined;
	const partial = response.get(1);
	if (partial === undefined) return 0;
	const inner = Buffer.isBuffer(partial) ? readFields(partial) : undefined;
	return inner && (inner.has(1) ? count(inner.get(1)) : 0);
}

/** `{`, with which no export response in protobuf begins: it would end a group. */
const brace = 0x7b;

function rejectedInJson(reply: Buffer): number | undefined {
	try {
		const reading = JSON.parse(reply.toString()) as { partialSuccess?: object | null };
		const entry = Object.entries(reading.partialSuccess ?? {}).find(([name]) =>
			name.startsWith("rejected"),
		);
		// 64 bits are a text in JSON (ProtoJSON).
		return entry === undefined ? 0 : count(Number(entry[1]));
	} catch {
		return undefined;
	}
}

function count(value: unknown): number | undefined {
	return Number.isSafeInteger(value) ? Math.max(0, Number(value)) : undefined;
}

/** The last value of each field; undefined where the bytes are no message of protobuf. */
function readFields(bytes: Buffer): Map<number, Buffer | number> | undefined {
	const fields = new Map<number, Buffer | number>();
	let at = 0;
	const varint = (): number => {
		let value = 0;
		for (let scale = 1; at < bytes.length && scale < 2 ** 70; scale *= 0x80) {
			const byte = bytes[at++] as number;
			value += (byte & 0x7f) * scale;
			if (byte < 0x80) return value;
		}
		return Number.NaN;
	};
	while (at < bytes.length) {
		const tag = varint();
		const field = Math.floor(tag / 8);
		const wire = tag % 8;
		if (!(field > 0)) return undefined;
		if (wire === wire_varint) {
			fields.set(field, varint());
		} else if (wire === wire_bytes) {
			const length = varint();
			fields.set(field, bytes.subarray(at, at + length));
			at += length;
		} else if (wire === wire_fixed64 || wire === wire_fixed32) {
			at += wire === wire_fixed64 ? 8 : 4;
			fields.set(field, Number.NaN);
		} else return undefined;
		if (!(at <= bytes.length) || (wire === wire_varint && Number.isNaN(fields.get(field)))) {
			return undefined;
		}
	}
	return fields;
}
