import assert from "node:assert/strict";

/** How the kernel names processors to a filter, written down a second time for the tests. */
export const audit = { x64: 0xc000003e, arm64: 0xc00000b7 } as const;

/** The answer to a system call that may go on. */
export const allow = "allow";

/** Runs a filter as the kernel does, on one system call: `allow`, or `errno` and its number. */
export function judge(
	filter: Buffer,
	architecture: number,
	number: number,
	args: number[] = [],
): string {
	const data = Buffer.alloc(64);
	data.writeUInt32LE(number >>> 0, 0);
	data.writeUInt32LE(architecture, 4);
	args.forEach((value, index) => data.writeBigUInt64LE(BigInt(value), 16 + index * 8));
	let accumulator = 0;
	for (let at = 0; at < filter.length; at += 8) {
		const code = filter.readUInt16LE(at);
		const value = filter.readUInt32LE(at + 4);
		const jump = (holds: boolean) => {
			at += filter.readUInt8(at + (holds ? 2 : 3)) * 8;
		};
		if (code === 0x20) accumulator = data.readUInt32LE(value);
		else if (code === 0x54) accumulator = (accumulator & value) >>> 0;
		else if (code === 0x15) jump(accumulator === value);
		else if (code === 0x35) jump(accumulator >= value);
		else {
			assert.equal(code, 0x06);
			return value === 0x7fff0000 ? allow : `errno ${value & 0xffff}`;
		}
	}
	throw new Error("the filter ends without an answer");
}
