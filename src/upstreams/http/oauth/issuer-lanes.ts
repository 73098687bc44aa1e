/** Requests for renewal at one issuer at a time; what comes meanwhile waits. */
export const lane_width = 16;

/** Whether a call waits for the outcome: such a turn comes before those that nobody waits for. */
export type Haste = "waited_for" | "ahead";

interface Lane {
	running: number;
	readonly waited_for: (() => void)[];
	readonly ahead: (() => void)[];
}

/**
 * Renewals at each issuer, a few at a time: thousands of tokens that end together must not become
 * thousands of requests at the same moment. Every turn begins, in the order of asking within a
 * haste, and one that fails makes room for the next.
 */
export class IssuerLanes {
	readonly #lanes = new Map<string, Lane>();
	readonly #width: number;

	constructor(width = lane_width) {
		this.#width = width;
	}

	/** Does the work once there is room. */
	async run<Value>(issuer: string, haste: Haste, work: () => Promise<Value>): Promise<Value> {
		const lane = this.#lanes.get(issuer) ?? { running: 0, waited_for: [], ahead: [] };
		this.#lanes.set(issuer, lane);
		if (lane.running >= this.#width) {
			await new Promise<void>((resolve) => void lane[haste].push(resolve));
		} else lane.running += 1;
		try {
			return await work();
		} finally {
			this.#leave(issuer, lane);
		}
	}

	/** Whose turn it is next takes the place, so that nobody slips in between. */
	#leave(issuer: string, lane: Lane): void {
		const next = lane.waited_for.shift() ?? lane.ahead.shift();
		if (next !== undefined) {
			next();
			return;
		}
		lane.running -= 1;
		if (lane.running === 0) this.#lanes.delete(issuer);
	}
}
