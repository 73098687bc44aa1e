import { open } from "node:fs/promises";
import { type Block, openBlock } from "./block.ts";
import { type ChainLine, readLine } from "./chain.ts";
import type { Disk } from "./disk.ts";
import type { PayloadKeys } from "./payload-keys.ts";
import { firstAt, listSegments, type Segment } from "./segments.ts";

/** What the audit has of one call or administrative action. */
export interface AuditedCall {
	/** Its entries, oldest first, as they stand in the log. */
	readonly entries: readonly (Readonly<Record<string, unknown>> & { readonly seq: number })[];
	/** What came in, and what went out. */
	readonly input: AuditedPayload;
	readonly output: AuditedPayload;
}

/** A payload, or why there is none. */
export type AuditedPayload =
	| { readonly kind: "bytes"; readonly bytes: Buffer }
	/** It was not kept: there is none, or it was lost. */
	| { readonly kind: "none" }
	/** Its key was destroyed. */
	| { readonly kind: "erased" };

/** Where the payloads of a call are. */
interface PayloadPlace {
	/** Number of the block's entry. */
	readonly block: number;
	readonly at: number;
	readonly input_bytes: number;
	readonly output_bytes: number;
}

const chunk_bytes = 1024 * 1024;
/** A call may have begun so long before its outcome was written. */
const around_ms = 24 * 3_600_000;

/**
 * Looks a call up in the log. Reads the segments of its time first, and all others only where it
 * is not there; in pieces, so that others run in between. Errors of the disk reject.
 */
export async function readCall(
	folder: string,
	call: string,
	at_ms: number | undefined,
	parts: { readonly disk: Disk; readonly keys: PayloadKeys },
): Promise<AuditedCall | undefined> {
	const segments = listSegments(folder, parts.disk);
	const near = at_ms === undefined ? [] : nearBy(segments, at_ms, parts.disk);
	let lines = await linesAbout(near, call);
	if (lines.length === 0) {
		lines = await linesAbout(
			segments.filter((segment) => !near.includes(segment)),
			call,
		);
	}
	if (lines.length === 0) return undefined;
	const entries = lines.map(({ seq, json }) => ({
		...(JSON.parse(json) as Record<string, unknown>),
		seq,
	}));
	let input: AuditedPayload = { kind: "none" };
	let output: AuditedPayload = { kind: "none" };
	for (const { payload } of entries as { payload?: unknown }[]) {
		const place = placeOf(payload);
		if (place === undefined) continue;
		const found = await payloadAt(place, segments, parts);
		if (place.input_bytes > 0) input = cutOf(found, place.at, place.input_bytes);
		const output_at = place.at + place.input_bytes;
		if (place.output_bytes > 0) output = cutOf(found, output_at, place.output_bytes);
	}
	return { entries, input, output };
}

function placeOf(payload: unknown): PayloadPlace | undefined {
	if (!Array.isArray(payload)) return undefined;
	const [block, at, input_bytes, output_bytes] = payload as number[];
	if (block === undefined || at === undefined) return undefined;
	return { block, at, input_bytes: input_bytes ?? 0, output_bytes: output_bytes ?? 0 };
}

/** A block's payloads; "erased" where nobody has its key any more. */
async function payloadAt(
	{ block: seq }: PayloadPlace,
	segments: readonly Segment[],
	{ keys }: { readonly keys: PayloadKeys },
): Promise<Buffer | "erased" | undefined> {
	const segment = segments.findLast(({ first_seq }) => first_seq <= seq);
	if (segment === undefined) return undefined;
	const line = await findLine(segment, seq);
	if (line === undefined) return undefined;
	const block = JSON.parse(line.json) as Block;
	const key = keys.open(block.key);
	return key === undefined ? "erased" : openBlock(seq, block, key);
}

function cutOf(found: Buffer | "erased" | undefined, at: number, bytes: number): AuditedPayload {
	if (found === undefined) return { kind: "none" };
	if (found === "erased") return { kind: "erased" };
	return { kind: "bytes", bytes: found.subarray(at, at + bytes) };
}

function nearBy(segments: readonly Segment[], at_ms: number, disk: Disk): Segment[] {
	return segments.filter((segment, index) => {
		const next = segments[index + 1];
		const ends_ms = next === undefined ? Number.POSITIVE_INFINITY : firstAt(next, disk);
		return ends_ms >= at_ms - around_ms && firstAt(segment, disk) <= at_ms + around_ms;
	});
}

async function linesAbout(segments: readonly Segment[], call: string): Promise<ChainLine[]> {
	const found: ChainLine[] = [];
	const wanted = `"call":${JSON.stringify(call)}`;
	for (const segment of segments) {
		for await (const line of eachLine(segment.path, Buffer.from(wanted))) {
			// Blocks and texts may hold the same characters; an entry has them as its member.
			if ((JSON.parse(line.json) as { call?: unknown }).call === call) found.push(line);
		}
	}
	return found;
}

async function findLine(segment: Segment, seq: number): Promise<ChainLine | undefined> {
	for await (const line of eachLine(segment.path, Buffer.from(`${seq} `))) {
		if (line.seq === seq) return line;
	}
	return undefined;
}

/** The lines of a file in which some bytes stand. */
async function* eachLine(path: string, wanted: Buffer): AsyncGenerator<ChainLine> {
	const file = await open(path, "r");
	try {
		let rest = Buffer.alloc(0);
		for (;;) {
			const chunk = Buffer.alloc(chunk_bytes);
			const { bytesRead } = await file.read(chunk, 0, chunk_bytes);
			if (bytesRead === 0) return;
			rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
			const end = rest.lastIndexOf(0x0a) + 1;
			yield* matching(rest.subarray(0, end), wanted);
			rest = Buffer.from(rest.subarray(end));
		}
	} finally {
		await file.close();
	}
}

function* matching(bytes: Buffer, wanted: Buffer): Generator<ChainLine> {
	let at = bytes.indexOf(wanted);
	while (at >= 0) {
		const start = bytes.lastIndexOf(0x0a, at) + 1;
		const end = bytes.indexOf(0x0a, at);
		const line = readLine(bytes.toString("utf8", start, end));
		if (line !== undefined) yield line;
		at = bytes.indexOf(wanted, end);
	}
}
