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
	/**
	 * Hosts that it tried to reach past its proxy, where there is nothing. Port 53 of a name: it was
	 * to be looked up.
	 */
	readonly unproxied: readonly EgressRecord[];
	/** Hosts that were forgotten because there were too many. */
	readonly forgotten: number;
	/** Those of them that were used. */
	readonly forgotten_used: number;
}

/** Whether a connection was allowed, refused, or tried past the proxy. */
export type EgressOutcome = "used" | "refused" | "unproxied";

const outcomes: readonly EgressOutcome[] = ["used", "refused", "unproxied"];

/** Hosts remembered of one server, for each outcome. */
const records_max = 256;
/** Hosts that are new or gone since they were last stored; with more, everything is stored. */
const changes_max = 1024;

/** What is new since changes were last taken, to be stored. */
export interface LedgerChanges {
	/** `saved` is everything there is. */
	readonly whole: boolean;
	readonly saved: readonly (EgressRecord & { readonly outcome: EgressOutcome })[];
	readonly removed: readonly (Target & { readonly outcome: EgressOutcome })[];
	readonly forgotten: Readonly<Record<EgressOutcome, number>>;
}

/**
 * What one server asked of the network. It survives the server's instances, and is bounded: the
 * hosts asked for longest ago are forgotten, and counted. It says what of it is to be stored.
 */
export class EgressLedger {
	readonly #lists = {
		used: new Map<string, EgressRecord>(),
		refused: new Map<string, EgressRecord>(),
		unproxied: new Map<string, EgressRecord>(),
	};
	readonly #forgotten = { used: 0, refused: 0, unproxied: 0 };
	/** What was asked for since changes were last taken, by outcome and target. */
	readonly #changed = new Map<string, Target & { readonly outcome: EgressOutcome }>();
	#whole = false;

	/** Takes over what is stored, those that were asked for longest ago first. */
	restore(outcome: EgressOutcome, record: EgressRecord): void {
		this.#lists[outcome].set(formatTarget(record), record);
	}

	/** Takes over how many hosts were forgotten. */
	restoreForgotten(outcome: EgressOutcome, count: number): void {
		this.#forgotten[outcome] = count;
	}

	/** Everything counts as new. */
	changeAll(): void {
		this.#whole = true;
		this.#changed.clear();
	}

	/** What is new since this was last called. */
	takeChanges(): LedgerChanges {
		const whole = this.#whole;
		const changed = [...this.#changed.values()];
		this.#whole = false;
		this.#changed.clear();
		const found = changed.map((target) => {
			const record = this.#lists[target.outcome].get(formatTarget(target));
			return { target, record };
		});
		const all = outcomes.flatMap((outcome) =>
			[...this.#lists[outcome].values()].map((record) => ({ outcome, ...record })),
		);
		return {
			whole,
			saved: whole
				? all
				: found.flatMap(({ target: { outcome }, record }) =>
						record === undefined ? [] : { outcome, ...record },
					),
			removed: found.flatMap(({ target, record }) => (record === undefined ? target : [])),
			forgotten: { ...this.#forgotten },
		};
	}

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
			const gone = records.get(oldest);
			records.delete(oldest);
			this.#forgotten[outcome] += 1;
			if (gone !== undefined) this.#change(outcome, gone);
		}
		this.#change(outcome, target);
		return known === undefined;
	}

	/** Everything noted, as data. */
	report(): EgressReport {
		return {
			used: [...this.#lists.used.values()].reverse(),
			refused: [...this.#lists.refused.values()].reverse(),
			unproxied: [...this.#lists.unproxied.values()].reverse(),
			forgotten: Object.values(this.#forgotten).reduce((sum, count) => sum + count, 0),
			forgotten_used: this.#forgotten.used,
		};
	}

	#change(outcome: EgressOutcome, { host, port }: Target): void {
		if (this.#whole) return;
		this.#changed.set(`${outcome} ${formatTarget({ host, port })}`, { outcome, host, port });
		if (this.#changed.size > changes_max) this.changeAll();
	}
}

/**
 * The line of a `sandbox:` block that closes a server to what it used; undefined while more was
 * used than is remembered, because such a line would leave hosts out.
 */
export function closingLine({ used, forgotten_used }: EgressReport): string | undefined {
	if (forgotten_used > 0) return undefined;
	const rules = [...new Set(used.map(ruleFor))].toSorted();
	return rules.length === 0 ? "egress: none" : egressLine(rules);
}

/** The line of a `sandbox:` block that allows these hosts. */
export function egressLine(rules: readonly string[]): string {
	const items = rules.map((rule) => (/^[[*]/.test(rule) ? JSON.stringify(rule) : rule));
	return `egress: [${items.join(", ")}]`;
}
