/**
 * How many calls took how long, in buckets that grow by a fifth: fine enough to tell a threefold
 * p99, and short enough to be kept for every tool and hour.
 */

const buckets_per_doubling = 4;
const smallest_ms = 0.1;
/** The last bucket has everything from about ten minutes on. */
export const latency_buckets = 96;

/** Counts by bucket. */
export type Latencies = Uint32Array;

/** Counts of no calls. */
export function noLatencies(): Latencies {
	return new Uint32Array(latency_buckets);
}

/** The bucket of a duration. */
export function bucketOf(duration_ms: number): number {
	if (!(duration_ms > smallest_ms)) return 0;
	const bucket = Math.round(buckets_per_doubling * Math.log2(duration_ms / smallest_ms));
	return Math.min(latency_buckets - 1, bucket);
}

/** The duration in the middle of a bucket, in milliseconds. */
export function durationOf(bucket: number): number {
	return smallest_ms * 2 ** (bucket / buckets_per_doubling);
}

/** As text, `bucket:count` with commas; empty for none. */
export function encodeLatencies(latencies: Latencies): string {
	const parts: string[] = [];
	for (let bucket = 0; bucket < latencies.length; bucket++) {
		const count = latencies[bucket] as number;
		if (count > 0) parts.push(`${bucket}:${count}`);
	}
	return parts.join(",");
}

/** Adds what a text holds; what is not of this form counts nothing. */
export function addEncoded(into: Latencies, text: string): void {
	if (text === "") return;
	for (const part of text.split(",")) {
		const [bucket, count] = part.split(":").map(Number);
		if (bucket !== undefined && bucket < latency_buckets && count !== undefined && count > 0) {
			into[bucket] = (into[bucket] as number) + count;
		}
	}
}

/** The duration that this share of the calls stays at or below; undefined without calls. */
export function quantile(latencies: Latencies, share: number): number | undefined {
	let total = 0;
	for (const count of latencies) total += count;
	if (total === 0) return undefined;
	const rank = Math.ceil(share * total);
	let below = 0;
	for (let bucket = 0; bucket < latencies.length; bucket++) {
		below += latencies[bucket] as number;
		if (below >= rank) return durationOf(bucket);
	}
	return undefined;
}
