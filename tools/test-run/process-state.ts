/** What tests can change in their process, and what would reach the next test file in it. */
export interface ProcessState {
	readonly environment: ReadonlyMap<string, string | undefined>;
	readonly folder: string;
	readonly umask: number;
	readonly listeners: ReadonlyMap<string, number>;
	readonly globals: ReadonlyMap<string, unknown>;
	/** What keeps the process alive, by kind: `TCPServerWrap`, `Timeout`. */
	readonly open: ReadonlyMap<string, number>;
}

/** Libraries say with these that they tidy up at the end, which nothing notices before. */
const harmless_listeners = new Set(["exit"]);

/** Notes the state of this process. */
export function takeState(): ProcessState {
	const names = process.eventNames().map(String);
	return {
		environment: new Map(Object.entries(process.env)),
		folder: process.cwd(),
		umask: process.umask(),
		listeners: new Map(
			names
				.filter((name) => !harmless_listeners.has(name))
				.map((name) => [name, process.listenerCount(name)]),
		),
		globals: new Map(holders().flatMap(([name, holder]) => functionsOf(name, holder))),
		open: countOpen(),
	};
}

/** What is still at work and was not before, as "kind: 0 before, 1 now". */
export function stillOpen(before: ProcessState): string[] {
	const now = countOpen();
	return [...now]
		.filter(([kind, count]) => count > (before.open.get(kind) ?? 0))
		.map(([kind, count]) => `${kind}: ${before.open.get(kind) ?? 0} before, ${count} now`);
}

/** How the process differs from what it was, in words for the person who repairs the test. */
export function whatIsLeft(before: ProcessState): string[] {
	const now = takeState();
	const left: string[] = [];
	for (const name of differing(before.environment, now.environment)) {
		left.push(`the environment variable ${name} is changed`);
	}
	if (now.folder !== before.folder) left.push(`the current folder is ${now.folder}`);
	if (now.umask !== before.umask) left.push(`the umask is ${now.umask.toString(8)}`);
	for (const name of differing(before.listeners, now.listeners)) {
		const counts = `${before.listeners.get(name) ?? 0} before, ${now.listeners.get(name) ?? 0} now`;
		left.push(`listeners of the process for "${name}": ${counts}`);
	}
	for (const name of differing(before.globals, now.globals)) {
		left.push(`the global ${name} is changed`);
	}
	if (process.exitCode !== undefined) {
		left.push(`the exit code is ${process.exitCode}: something failed outside of the tests`);
	}
	return [...left, ...stillOpen(before)];
}

function differing(before: ReadonlyMap<string, unknown>, now: ReadonlyMap<string, unknown>) {
	const names = new Set([...before.keys(), ...now.keys()]);
	return [...names].filter((name) => !Object.is(before.get(name), now.get(name)));
}

function countOpen(): Map<string, number> {
	const counts = new Map<string, number>();
	for (const kind of process.getActiveResourcesInfo()) {
		counts.set(kind, (counts.get(kind) ?? 0) + 1);
	}
	return counts;
}

/** Where a test could put a function of its own in the place of the real one. */
function holders(): [string, object][] {
	const { stdout, stderr } = process;
	return [
		...Object.entries({ globalThis, Date, Math, JSON, console, process }),
		["process.stdout", stdout],
		["process.stderr", stderr],
	];
}

/** Functions that an object holds itself. Getters are not called, because some cost much. */
function functionsOf(name: string, holder: object): [string, unknown][] {
	return Object.entries(Object.getOwnPropertyDescriptors(holder))
		.filter(([, { value }]) => typeof value === "function")
		.map(([key, { value }]) => [`${name}.${key}`, value]);
}
