import type { Catalogs } from "../catalog/catalogs.ts";
import type { ServerPlan } from "../config/plan.ts";
import { audienceOf } from "../gateway/scope.ts";
import type { Hosting, InstanceKey } from "../hosting/hosting.ts";
import type { Clock } from "../lib/clock.ts";
import type { Upstream } from "../upstreams/driver.ts";

/** For so long at most the calls that have woken a server go before the question what it offers. */
const calls_first_ms_max = 1_000;

/** What has just become ready, and who wants to know what it offers. */
export interface ReadyServer {
	readonly hosting: Hosting;
	readonly catalogs: Catalogs;
	readonly clock: Clock;
	readonly signal: AbortSignal;
	readonly server: ServerPlan;
	readonly key: InstanceKey;
	readonly upstream: Upstream;
}

/**
 * Asks what has just become ready what it offers, and keeps it awake meanwhile. Where that is
 * known, and is to be compared alone, whoever has waited for the start is answered first: a program
 * does one thing at a time, and its first lists take it longer than most calls.
 */
export function askWhatItOffers(ready: ReadyServer): void {
	const { hosting, catalogs, clock, signal, server, key, upstream } = ready;
	const audience = audienceOf(key);
	const lease = hosting.tryAcquire(key, { kind: "hold" });
	const ask = () =>
		void catalogs.refresh(server, upstream, signal, audience).finally(() => lease?.release());
	const known = catalogs.getFor(server.name, audience);
	const calls = known?.fingerprint === server.fingerprint ? lease?.callsOver() : undefined;
	if (calls === undefined) return ask();
	const { promise: late, resolve } = Promise.withResolvers<void>();
	const timer = clock.afterIdle(calls_first_ms_max, resolve);
	void Promise.race([calls, late]).then(() => {
		timer.cancel();
		ask();
	});
}
