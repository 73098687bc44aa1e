import type { ServerPlan } from "../config/plan.ts";
import type { StoredRollout, StoredVersion } from "../store/version-repository.ts";
import type { Versions } from "./versions.ts";

/** A version that has yet to prove itself, and how the one is run that takes the calls. */
export interface Unproven {
	readonly version: StoredVersion;
	readonly live: ServerPlan;
}

/**
 * The version that a configuration asks for where, when a former run of the gateway ended, it was
 * on its way into the place of another, or had been given up for another. A start of the gateway
 * is no proof: the other takes the calls until this one is. Undefined where there is none, or
 * where the other cannot be run any more.
 */
export function unprovenVersion(versions: Versions, wanted: ServerPlan): Unproven | undefined {
	const version = versions.of(wanted.name).at(-1);
	const active = versions.active(wanted.name);
	if (version === undefined || active === undefined || version.number === active.number) {
		return undefined;
	}
	// Another configuration is another version; a fork's volumes may be half in their new place.
	if (version.fingerprint !== wanted.fingerprint || version.source === "promote") return undefined;
	const is_on_its_way = version.state === "trial";
	const was_given_up = version.state === "failed" && active.fingerprint !== wanted.fingerprint;
	if (!is_on_its_way && !was_given_up) return undefined;
	const live = versions.planOf(active);
	return live === undefined ? undefined : { version, live };
}

/** How far a version is that is to be started. */
export function newRollout(
	plan: ServerPlan,
	number: number,
	how: { readonly hold?: boolean | undefined; readonly percent?: number | undefined },
): StoredRollout {
	return {
		server: plan.name,
		number,
		hold: how.hold ?? false,
		percent: how.percent ?? plan.release.percent,
		watch_left_ms: plan.release.watch_ms,
		new_calls: 0,
		new_failed: 0,
		old_calls: 0,
		old_failed: 0,
	};
}
