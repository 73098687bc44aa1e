import { lookup } from "node:dns/promises";
import type { Resolve } from "./judge.ts";

/** The machine's own way to find addresses: its hosts file, its name servers. */
export const systemResolve: Resolve = async (name) => {
	const found = await lookup(name, { all: true });
	return found.map(({ address }) => address);
};

/**
 * Looks up one name at a time, and one that is asked for twice only once. Lookups of the machine
 * occupy threads that the whole gateway shares; so a server that asks for many dead names delays
 * itself.
 */
export function oneAtATime(resolve: Resolve): Resolve {
	const running = new Map<string, Promise<readonly string[]>>();
	let last: Promise<unknown> = Promise.resolve();
	return (name) => {
		const known = running.get(name);
		if (known !== undefined) return known;
		const asked = last.then(() => resolve(name)).finally(() => running.delete(name));
		last = asked.catch(() => undefined);
		running.set(name, asked);
		return asked;
	};
}
