import type { PackageIdentity } from "../hosting/resolved.ts";

/** Why something asked for cannot be done: a sentence, and what to do. */
export interface ReleaseProblem {
	readonly code:
		| "server_unknown"
		| "version_unknown"
		| "server_exists"
		| "nothing_to_do"
		| "failed";
	readonly message: string;
}

/** There is no such server. */
export function unknownServer(name: string): ReleaseProblem {
	return { code: "server_unknown", message: `There is no server named "${name}".` };
}

/** A server has no such version. */
export function unknownVersion(name: string, number: number | undefined): ReleaseProblem {
	const message =
		number === undefined
			? `There is no earlier version of "${name}" that has taken calls.`
			: `There is no version ${number} of "${name}"; \`moorage versions ${name}\` lists them.`;
	return { code: "version_unknown", message };
}

/** Nothing of what a server runs can be found out anew. */
export function nothingFloats(name: string): ReleaseProblem {
	const message =
		`What "${name}" runs is not locked, so that there is nothing to update: only commands such ` +
		"as `npx` and `uvx` that Moorage understands, and images, are.";
	return { code: "nothing_to_do", message };
}

/** What a server runs is the newest that its command allows. */
export function isNewest(name: string, identity: PackageIdentity): ReleaseProblem {
	const { name: what, version } = identity;
	const exactly = version === undefined ? what : `${what} ${version}`;
	const message = `"${name}" runs the newest that its command allows already: ${exactly}.`;
	return { code: "nothing_to_do", message };
}

/** A fork is on its way already, and its volumes with it. */
export function isBeing(what: "promoted" | "removed", fork: string): ReleaseProblem {
	const message = `"${fork}" is being ${what} already: wait until that is over.`;
	return { code: "nothing_to_do", message };
}

/** A fork is on its way into the place of a server, whose versions and volumes wait for that. */
export function isBeingReplaced(server: string): ReleaseProblem {
	const message = `A fork is taking the place of "${server}" just now: wait until that is over.`;
	return { code: "nothing_to_do", message };
}

/** A new version of a server is on its way, and there is room for one. */
export function isOnItsWay(name: string): ReleaseProblem {
	const message =
		`A new version of "${name}" is on its way already; \`moorage versions ${name}\` shows it. ` +
		`Let it take over with \`moorage promote ${name}\`, or give it up with \`moorage rollback ${name}\`.`;
	return { code: "nothing_to_do", message };
}

/** A new version of a server goes on only when the server is not switched off any more. */
export function waitsForSwitch(name: string): ReleaseProblem {
	const message =
		`The new version of "${name}" was not started, because the server is switched off: it goes ` +
		`on by itself after \`moorage unkill\`; \`moorage kills\` shows the switch.`;
	return { code: "nothing_to_do", message };
}
