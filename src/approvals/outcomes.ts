import type { Clock } from "../lib/clock.ts";
import type { SecretBox } from "../secrets/box.ts";
import type { ApprovalRepository } from "../store/approval-repository.ts";

/** What the call of an approval came to. JSON is raw. */
export type Outcome =
	| { readonly kind: "result"; readonly json: string }
	/** A JSON-RPC error object. */
	| { readonly kind: "error"; readonly json: string }
	/** Its server made a task of it (SEP-2663). */
	| { readonly kind: "task"; readonly server: string; readonly task_id: string }
	/** Its caller cancelled it while it ran. */
	| { readonly kind: "cancelled" };

/** What is larger than this is not kept. */
export const outcome_chars_max = 16 * 1024 * 1024;

/** What outcomes are kept with. */
export interface OutcomesOptions {
	readonly clock: Clock;
	readonly box: SecretBox;
	readonly repository: ApprovalRepository;
}

/** What calls came to that people had agreed to, sealed, for callers who ask about them later. */
export class Outcomes {
	readonly #options: OutcomesOptions;

	constructor(options: OutcomesOptions) {
		this.#options = options;
	}

	/** Resolves when it is stored. Others whose time is over go. */
	async keep(id: string, outcome: Outcome, kept_until_ms: number): Promise<void> {
		const { repository, box, clock } = this.#options;
		const body = box.seal(JSON.stringify(outcome), aboutOf(id));
		await repository.keepResult({ id, kept_until_ms, body });
		await repository.removeResultsBefore(clock.now());
	}

	/** Undefined where none is kept, or no longer. */
	async find(id: string): Promise<Outcome | undefined> {
		const { repository, box, clock } = this.#options;
		const stored = await repository.result(id);
		if (stored === undefined || stored.kept_until_ms < clock.now()) return undefined;
		const text = box.open(stored.body, aboutOf(id));
		return text === undefined ? undefined : (JSON.parse(text) as Outcome);
	}
}

function aboutOf(id: string): string {
	return `approval result ${id}`;
}
