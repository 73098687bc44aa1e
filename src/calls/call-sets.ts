/**
 * Sets of calls as bytes: few are listed, two bytes each and the least first, of more there is a
 * bit each, and all of a part are no bytes. Parts of calls have at most 65,536; where none has
 * something, there is no set.
 */

/** Which calls of a part have something. */
export type CallSet = Uint8Array;

const all_calls: CallSet = new Uint8Array(0);

/** Fewer than this are listed, as they take less room so. */
function listedMax(length: number): number {
	return length / 16;
}

/** The set of some calls of a part, the least first. */
export function setOf(calls: readonly number[], length: number): CallSet {
	if (calls.length < listedMax(length)) return new Uint8Array(Uint16Array.from(calls).buffer);
	const set = new Uint8Array(length / 8);
	for (const call of calls) (set[call >>> 3] as number) |= 1 << (call & 7);
	return set;
}

/** The sets of parts that follow each other, as one of the part that they make. */
export function joinSets(sets: readonly (CallSet | undefined)[], length: number): CallSet {
	let count = 0;
	for (const set of sets) if (set !== undefined) count += countOf(set, length);
	const whole = length * sets.length;
	if (count === whole) return all_calls;
	if (count < listedMax(whole)) {
		const list = new Uint16Array(count);
		let at = 0;
		for (const [part, set] of sets.entries()) {
			if (set === undefined) continue;
			for (const call of set.length === length / 8 ? ascending(set) : listOf(set)) {
				list[at] = part * length + call;
				at += 1;
			}
		}
		return new Uint8Array(list.buffer);
	}
	const joined = new Uint8Array(whole / 8);
	for (const [part, set] of sets.entries()) {
		if (set === undefined) continue;
		const first = (part * length) / 8;
		if (set.length === length / 8) joined.set(set, first);
		else
			for (const call of listOf(set)) (joined[first + (call >>> 3)] as number) |= 1 << (call & 7);
	}
	return joined;
}

/** The calls that are in all of these sets, the last first; each set is read where it stands. */
export function* callsInAll(sets: readonly CallSet[], length: number): Generator<number> {
	const lists = sets.filter((set) => set.length > 0 && set.length < length / 8).map(listOf);
	const marked = sets.filter((set) => set.length === length / 8);
	const [shortest, ...others] = lists.sort((left, right) => left.length - right.length);
	if (shortest === undefined) return yield* markedInAll(marked, length);
	const places = others.map((list) => list.length - 1);
	next: for (let at = shortest.length - 1; at >= 0; at -= 1) {
		const call = shortest[at] as number;
		for (const set of marked) if (!has(set, call)) continue next;
		for (const [index, list] of others.entries()) {
			let place = places[index] as number;
			while (place >= 0 && (list[place] as number) > call) place -= 1;
			places[index] = place;
			if (place < 0) return;
			if (list[place] !== call) continue next;
		}
		yield call;
	}
}

function* markedInAll(sets: readonly CallSet[], length: number): Generator<number> {
	for (let at = length / 8 - 1; at >= 0; at -= 1) {
		let bits = 0xff;
		for (const set of sets) bits &= set[at] as number;
		while (bits !== 0) {
			const bit = 31 - Math.clz32(bits);
			bits ^= 1 << bit;
			yield at * 8 + bit;
		}
	}
}

function* ascending(set: CallSet): Generator<number> {
	for (let at = 0; at < set.length; at += 1) {
		for (let bits = set[at] as number; bits !== 0; bits &= bits - 1) {
			yield at * 8 + 31 - Math.clz32(bits & -bits);
		}
	}
}

function has(set: CallSet, call: number): boolean {
	return (((set[call >>> 3] as number) >> (call & 7)) & 1) === 1;
}

function countOf(set: CallSet, length: number): number {
	if (set.length !== length / 8) return set.length / 2;
	let count = 0;
	for (const bits of set) count += bits_of_byte[bits] as number;
	return count;
}

const bits_of_byte = Uint8Array.from({ length: 256 }, (_, value) => {
	return value.toString(2).split("1").length - 1;
});

/** Numbers can be read only where they begin at a multiple of their length. */
function listOf(set: CallSet): Uint16Array {
	const { buffer, byteOffset, length } = byteAligned(set);
	return new Uint16Array(buffer, byteOffset, length / 2);
}

function byteAligned(bytes: Uint8Array): Uint8Array {
	return bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
}

/** The numbers of four bytes that these are. */
export function numbersOf(bytes: Uint8Array): Uint32Array {
	const { buffer, byteOffset, length } = byteAligned(bytes);
	return new Uint32Array(buffer, byteOffset, length / 4);
}
