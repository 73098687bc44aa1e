// Taken before any test can put a clock of its own in its place.
const later = globalThis.setTimeout;

/** How many turns of the event loop are looked at one by one, before there is a breath between. */
const eager_rounds = 200;

/**
 * Resolves when the condition holds, looking again after every turn of the event loop, and every
 * two milliseconds once it has taken long: what is waited for may be another process, which needs
 * the processor that a wait without a breath would take from it.
 */
export async function until(condition: () => boolean): Promise<void> {
	for (let round = 0; !condition(); round += 1) {
		await new Promise<void>((resolve) => {
			if (round < eager_rounds) setImmediate(resolve);
			else later(resolve, 2);
		});
	}
}
