const wire_varint = 0;
const wire_fixed64 = 1;
const wire_bytes = 2;
const wire_fixed32 = 5;

/**
 * How many items a collector rejected although it took the request: `partial_success.rejected_*`
 * of an export response. 0 for anything that cannot be read.
 */
export function rejectedItems(reply: Buffer): number {
	const partial = findField(reply, 1);
	if (!Buffer.isBuffer(partial)) return 0;
	const rejected = findField(partial, 1);
	return Number.isSafeInteger(rejected) ? Number(rejected) : 0;
}

function findField(bytes: Buffer, wanted: number): Buffer | number | undefined {
	let at = 0;
	const varint = (): number => {
		let value = 0;
		for (let scale = 1; at < bytes.length; scale *= 0x80) {
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
		let value: Buffer | number;
		if (wire === wire_varint) value = varint();
		else if (wire === wire_bytes) {
			const length = varint();
			value = bytes.subarray(at, at + length);
			at += length;
		} else if (wire === wire_fixed64 || wire === wire_fixed32) {
			at += wire === wire_fixed64 ? 8 : 4;
			value = Number.NaN;
		} else return undefined;
		if (Number.isNaN(at)) return undefined;
		if (field === wanted) return value;
	}
	return undefined;
}
