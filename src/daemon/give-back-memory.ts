import type { Gateway } from "../gateway/gateway.ts";
import type { Hosting } from "../hosting/hosting.ts";
import type { Clock } from "../lib/clock.ts";
import { collectWhenIdle, thisProcess } from "../lib/idle-collection.ts";

/** Memory is given back in moments in which no call is under way and no server starts. */
export function giveBackMemory(
	clock: Clock,
	hosting: Pick<Hosting, "statuses">,
	gateway: Pick<Gateway, "in_flight">,
	closing: AbortSignal,
): void {
	const isStarting = () => hosting.statuses().some(({ state }) => state === "starting");
	const own = thisProcess(clock, () => gateway.in_flight > 0 || isStarting());
	if (own === undefined) return;
	closing.addEventListener("abort", collectWhenIdle(own), { once: true });
}
