import type { Catalogs } from "../catalog/catalogs.ts";
import type { ServerPlan } from "../config/plan.ts";
import type { Hosting } from "../hosting/hosting.ts";
import type { Locked } from "../hosting/resolved.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { compareOffers, type OfferDifference } from "./offer.ts";

/** The rooms that a version is looked at with. */
export interface LookRooms {
	readonly hosting: Hosting;
	readonly catalogs: Catalogs;
}

const only_people_know =
	"It is used with accounts of people: what it offers cannot be looked at before one of them calls.";

/**
 * Starts a version beside the one that takes the calls, compares what it offers, and ends it again.
 * Nothing of it is kept. A problem is a sentence that says why it would not take over.
 */
export async function lookAt(
	plan: ServerPlan,
	{ hosting, catalogs }: LookRooms,
	locked?: Locked,
): Promise<Result<OfferDifference, string>> {
	const { name } = plan;
	const trial = hosting.try(plan, () => undefined, { locked });
	const abort = new AbortController();
	try {
		const ready = await trial.ready;
		if (!ready.ok) return fail(ready.problem.message);
		const lease = ready.value;
		if (lease === undefined) return succeed({ changes: [], warnings: [only_people_know] });
		const found = await catalogs.examine(plan, lease.upstream, abort.signal);
		lease.release();
		if (!found.ok) return fail(found.problem.message);
		const before = { identity: hosting.resolved(name)?.identity, catalog: catalogs.get(name) };
		const after = { identity: trial.resolved?.identity, catalog: found.value };
		return succeed(compareOffers(before, after, plan));
	} finally {
		hosting.giveUp(trial, "it was only to be looked at");
	}
}
