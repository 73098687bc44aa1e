import { ruleFor } from "./host-rules.ts";
import { formatTarget, type Target } from "./target.ts";

/** One host and port that a server asked for. */
export interface EgressRecord {
	readonly host: string;
	readonly port: number;
	readonly count: number;
	/** Wall-clock milliseconds. */
	readonly first_at_ms: number;
	readonly last_at_ms: number;
}

/** What a server asked of the network, as data. Most recently asked first. */
export interface EgressReport {
	readonly used: readonly EgressRecord[];
	readonly refused: readonly EgressRecord[];
	/** Hosts that were forgotten because there were too many. */
	readonly forgotten: number;
}

/** Whether a connection was allowed or refused. */
export type EgressOutcome = "used" | "refused";

/** Hosts remembered of one server, used and refused each. */
const records_max = 256;

/**
 * What one server asked of the network. It survives the server's instances, and is bounded: the
 * hosts asked for longest ago are forgotten, and counted.
 */
export class EgressLedger {
	readonly #lists = {
		used: new Map<string, EgressRecord>(),
		refused: new Map<string, EgressRecord>(),
	};
	#forgotten = 0;

	/** Notes one wish for a connection; true the first time for this host and outcome. */
	note(outcome: EgressOutcome, target: Target, now_ms: number): boolean {
		const records = this.#lists[outcome];
		const key = formatTarget(target);
		const known = records.get(key);
		// Deleted and set again, a key is the youngest of the map.
		records.delete(key);
		records.set(key, {
			host: target.host,
			port: target.port,
			count: (known?.count ?? 0) + 1,
			first_at_ms: known?.first_at_ms ?? now_ms,
			last_at_ms: now_ms,
		});
		const [oldest] = records.keys();
		if (records.size > records_max && oldest !== undefined) {
			records.delete(oldest);
			this.#forgotten += 1;
		}
		return known === undefined;
	}

	/** Everything noted, as data. */
	report(): EgressReport {
		return {
			used: [...this.#lists.used.values()].reverse(),
			refused: [...this.#lists.refused.values()].reverse(),
			forgotten: this.#forgotten,
		};
	}
}

/**
 * The line of a `sandbox:` block that closes a server to what it used; undefined while more was
 * used than is remembered, because such a line would leave hosts out.
 */
export function closingLine({ used, forgotten }: EgressReport): string | undefined {
	if (forgotten > 0) return undefined;
	const rules = [...new Set(used.map(ruleFor))].toSorted();
	return rules.length === 0 ? "egress: none" : egressLine(rules);
}

/** The line of a `sandbox:` block that allows these hosts. */
export function egressLine(rules: readonly string[]): string {
	const items = rules.map((rule) => (/^[[*]/.test(rule) ? JSON.stringify(rule) : rule));
	return `egress: [${items.join(", ")}]`;
}
