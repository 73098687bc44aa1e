import type { Clock, Timer } from "../../lib/clock.ts";
import type { EgressRepository } from "../../store/egress-repository.ts";
import type { StoreWriter } from "../../store/repositories.ts";
import { EgressLedger, type EgressOutcome, type EgressReport } from "./ledger.ts";
import type { Target } from "./target.ts";

/** Names of servers whose records are kept; more than a configuration has. */
const servers_max = 4096;
/** How long notes are gathered before they are stored: a crash loses those at most. */
const save_delay_ms = 250;
/** About what one host takes while it waits to be written. */
const host_bytes = 300;

/** Where records are kept. */
export interface EgressStore {
	readonly clock: Clock;
	readonly writer: Pick<StoreWriter, "add">;
	readonly repository: Pick<EgressRepository, "hosts" | "forgotten">;
}

/**
 * What every server asked of the network, also in runs of the gateway before this one. Noting
 * never waits: what is new is gathered, and written behind.
 */
export class EgressRecords {
	readonly #store: EgressStore | undefined;
	readonly #ledgers = new Map<string, EgressLedger>();
	readonly #changed = new Set<string>();
	#timer: Timer | undefined;

	/** Without a store, records end with the process. */
	constructor(store?: EgressStore) {
		this.#store = store;
	}

	/** Takes over what is stored. Belongs before any server runs. */
	async restore(): Promise<void> {
		if (this.#store === undefined) return;
		const { repository } = this.#store;
		for (const { server, outcome, ...record } of await repository.hosts()) {
			this.#ledger(server).restore(outcome, record);
		}
		for (const { server, outcome, count } of await repository.forgotten()) {
			this.#ledger(server).restoreForgotten(outcome, count);
		}
	}

	/** Notes one wish for a connection; true the first time for this host and outcome. */
	note(server: string, outcome: EgressOutcome, target: Target, now_ms: number): boolean {
		let ledger = this.#ledgers.get(server);
		if (ledger === undefined) {
			ledger = this.#ledger(server);
			// One of this name may have been let go, and may still be stored.
			ledger.changeAll();
		}
		const is_new = ledger.note(outcome, target, now_ms);
		this.#changed.add(server);
		this.#saveSoon();
		return is_new;
	}

	/** What a server asked of the network. */
	report(server: string): EgressReport {
		return (this.#ledgers.get(server) ?? new EgressLedger()).report();
	}

	/** Hands over to the writer what was not yet; the writer is flushed by its owner. */
	flush(): void {
		this.#timer?.cancel();
		this.#timer = undefined;
		const { writer } = this.#store ?? {};
		if (writer === undefined) return;
		for (const server of [...this.#changed]) {
			if (!this.#hand(server, writer)) return;
			this.#changed.delete(server);
		}
	}

	/** False where too much waits to be written: everything of it is said again later. */
	#hand(server: string, writer: EgressStore["writer"]): boolean {
		const ledger = this.#ledgers.get(server);
		if (ledger === undefined) return writer.add(({ egress }) => egress.removeAll(server));
		const change = { server, ...ledger.takeChanges() };
		const bytes = (change.saved.length + change.removed.length) * host_bytes;
		if (writer.add(({ egress }) => egress.apply(change), bytes)) return true;
		ledger.changeAll();
		return false;
	}

	#saveSoon(): void {
		this.#timer ??= this.#store?.clock.afterIdle(save_delay_ms, () => {
			this.flush();
			if (this.#changed.size > 0) this.#saveSoon();
		});
	}

	#ledger(server: string): EgressLedger {
		const known = this.#ledgers.get(server);
		if (known !== undefined) return known;
		const [oldest] = this.#ledgers.keys();
		if (this.#ledgers.size >= servers_max && oldest !== undefined) {
			this.#ledgers.delete(oldest);
			this.#changed.add(oldest);
			this.#saveSoon();
		}
		const ledger = new EgressLedger();
		this.#ledgers.set(server, ledger);
		return ledger;
	}
}
