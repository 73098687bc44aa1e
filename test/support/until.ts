/** Resolves when the condition holds, looking again after every turn of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
	while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
