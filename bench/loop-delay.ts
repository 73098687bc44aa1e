import type { Contender } from "./contenders.ts";

const micros_per_ms = 1_000;
const line = /^moorage_event_loop_delay_seconds\{quantile="0\.99"\} (\S+)$/mu;

/**
 * How late the event loop of a gateway of ours was since this was asked last, at p99, in
 * milliseconds; undefined where nobody tells. Asked as whoever these headers are of.
 */
export async function loopDelayOf(
	{ port, tells_loop }: Contender,
	{ authorization }: Readonly<Record<string, string>>,
): Promise<number | undefined> {
	if (tells_loop !== true) return undefined;
	const headers = authorization === undefined ? {} : { authorization };
	const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { headers });
	const text = await answer.text();
	if (!answer.ok) throw new Error(`the gateway's metrics cannot be read: ${text}`);
	return delayIn(text);
}

/** The same, from the text of the metrics. */
export function delayIn(text: string): number | undefined {
	const [, seconds] = line.exec(text) ?? [];
	if (seconds === undefined) return undefined;
	return Math.round(Number(seconds) * micros_per_ms * micros_per_ms) / micros_per_ms;
}
