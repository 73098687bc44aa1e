import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { peopleWithGrants, startRenewingProvider } from "../../test/support/renewing-people.ts";

/** How long the provider takes for a token. */
const hold_ms = 10;
const warm_calls = 1_000_000;

/**
 * What it is like when this many people's tokens at one server end in the same minute, and each of
 * them calls in it: what the provider sees, and the CPU time of this process. And what a grant that
 * is good adds to a call.
 */
export async function measureGrants(count: number): Promise<Readonly<Record<string, number>>> {
	const provider = await startRenewingProvider(hold_ms);
	try {
		const { issuer } = provider;
		const due = { issuer, count, clock: systemClock, random: systemRandom };
		const { people, store } = await peopleWithGrants({ ...due, renew_at_ms: systemClock.now() });
		const cpu_before = process.cpuUsage();
		for (const person of people) person.headers();
		while (store.grants_by_user.size < count) {
			await new Promise((resolve) => setTimeout(resolve, 5));
		}
		const { user, system } = process.cpuUsage(cpu_before);
		const { metadata, renewals, peak, refused } = await provider.seen();
		const times = [...store.grants_by_user.values()].map(({ renew_at_ms }) => renew_at_ms ?? 0);
		return {
			peak_requests: peak,
			metadata_requests: metadata,
			renewed_twice: renewals - count + refused,
			cpu_us_per_renewal: Math.round((user + system) / count),
			spread_s: Math.round((Math.max(...times) - Math.min(...times)) / 1000),
			warm_us: warmCost(people[0]),
		};
	} finally {
		await provider.stop();
	}
}

/** CPU microseconds for the header of one call with a token that is good. */
function warmCost(person: { headers(): string[] } | undefined): number {
	let length = 0;
	const run = (calls: number) => {
		for (let call = 0; call < calls; call += 1) length += person?.headers().length ?? 0;
	};
	run(warm_calls / 10);
	const before = process.cpuUsage();
	run(warm_calls);
	const { user, system } = process.cpuUsage(before);
	if (length === 0) throw new Error("there was no token");
	return Math.round(((user + system) / warm_calls) * 1000) / 1000;
}
