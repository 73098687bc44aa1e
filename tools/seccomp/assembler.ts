import assert from "node:assert/strict";

/** One step of a filter, with names instead of distances. */
export type Step =
	| { readonly op: "load"; readonly offset: number }
	| { readonly op: "and"; readonly value: number }
	| {
			/** Goes to a label, or on with the next step where that is undefined. */
			readonly op: "if_equal" | "if_at_least";
			readonly value: number;
			readonly then?: string;
			readonly otherwise?: string;
	  }
	| { readonly op: "return"; readonly value: number }
	| { readonly op: "label"; readonly name: string };

/** Operation codes of classic BPF, as the kernel's `linux/bpf_common.h` numbers them. */
const codes = { load: 0x20, and: 0x54, if_equal: 0x15, if_at_least: 0x35, return: 0x06 } as const;
const instruction_bytes = 8;
const jump_max = 255;
const steps_max = 4096;

/** Turns steps into the bytes of a `struct sock_filter` array, little-endian. */
export function assemble(steps: readonly Step[]): Buffer {
	const labels = new Map<string, number>();
	let count = 0;
	for (const step of steps) {
		if (step.op === "label") {
			assert(!labels.has(step.name), `label ${step.name} stands twice`);
			labels.set(step.name, count);
		} else {
			count += 1;
		}
	}
	assert(count > 0 && count <= steps_max, `${count} steps are too few or too many`);
	const bytes = Buffer.alloc(count * instruction_bytes);
	let index = 0;
	for (const step of steps) {
		if (step.op === "label") {
			continue;
		}
		const at = index * instruction_bytes;
		bytes.writeUInt16LE(codes[step.op], at);
		if (step.op === "if_equal" || step.op === "if_at_least") {
			bytes.writeUInt8(distance(labels, index, step.then), at + 2);
			bytes.writeUInt8(distance(labels, index, step.otherwise), at + 3);
		}
		bytes.writeUInt32LE((step.op === "load" ? step.offset : step.value) >>> 0, at + 4);
		index += 1;
	}
	return bytes;
}

/** How many steps a jump leaves out. */
function distance(
	labels: ReadonlyMap<string, number>,
	index: number,
	label: string | undefined,
): number {
	if (label === undefined) {
		return 0;
	}
	const target = labels.get(label);
	assert(target !== undefined, `there is no label ${label}`);
	const length = target - index - 1;
	assert(length >= 0 && length <= jump_max, `the jump to ${label} is backward or too long`);
	return length;
}
