import type { ServerPlan } from "../config/plan.ts";
import type { StoredVersion } from "../store/version-repository.ts";
import type { Log } from "../telemetry/log.ts";
import type { Fork, Forks } from "./forks.ts";
import type { Versions } from "./versions.ts";

/**
 * Finishes what a gateway was killed amid: where a fork's volumes are in its server's place
 * already, the fork's version takes the calls and the fork is no more. Files of the one with the
 * program of the other would be neither. Belongs before it is decided what a server runs.
 */
export async function finishPromotions(
	forks: Forks,
	versions: Versions,
	wanted: ReadonlyMap<string, ServerPlan>,
	log: Log,
): Promise<void> {
	for (const fork of forks.all()) {
		if (!(await forks.isMoved(fork))) continue;
		const { name, server } = fork;
		const version = promotedVersion(fork, forks.planFor(fork), versions);
		const plan = wanted.get(server);
		if (version === undefined) {
			// Somebody removed it, or a backup was made while the fork was.
			log.warn({ fork: name, server }, "a fork has lost its volumes: it begins with none");
			continue;
		}
		if (plan !== undefined) {
			const { number } = version;
			await versions.activate(server, number, "A fork was promoted.");
			await versions.setPin({ server, number, config_fingerprint: plan.fingerprint });
		}
		await forks.forget(fork);
	}
}

/** The version that a fork was becoming, or has become. */
function promotedVersion(
	{ server, created_at_ms }: Fork,
	{ fingerprint }: ServerPlan,
	versions: Versions,
): StoredVersion | undefined {
	return versions
		.of(server)
		.findLast(
			(version) =>
				version.source === "promote" &&
				(version.state === "trial" || version.state === "active") &&
				version.fingerprint === fingerprint &&
				version.created_at_ms >= created_at_ms,
		);
}
