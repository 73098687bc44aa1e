import type { Clock } from "../lib/clock.ts";
import type { MetaRepository } from "../store/meta-repository.ts";
import type { Log } from "../telemetry/log.ts";
import { EraVerdicts } from "../upstreams/era-verdicts.ts";

const meta_key = "era_verdicts";

/** What verdicts are kept with. */
export interface StoredEraVerdictsOptions {
	readonly meta: Pick<MetaRepository, "get" | "set">;
	readonly clock: Clock;
	readonly log: Log;
}

/**
 * The verdicts on the eras of servers, as they were before a restart. Writes follow one
 * another, the newest state last; a store that fails costs no more than asking again.
 */
export async function storedEraVerdicts(options: StoredEraVerdictsOptions): Promise<EraVerdicts> {
	const { meta, clock, log } = options;
	const warn = (error: unknown) =>
		log.warn({ error: String(error) }, "era verdicts are not stored");
	let writing: Promise<void> | undefined;
	let latest = "";
	const write = async () => {
		for (let written = ""; written !== latest; ) {
			written = latest;
			await meta.set(meta_key, written).catch(warn);
		}
		writing = undefined;
	};
	const onChange = (text: string) => {
		latest = text;
		writing ??= write();
	};
	const verdicts = new EraVerdicts({ clock, onChange });
	const stored = await meta.get(meta_key).catch(warn);
	if (typeof stored === "string") verdicts.restore(stored);
	return verdicts;
}
