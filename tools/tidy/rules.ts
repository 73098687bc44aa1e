/** Names that reach for the machine, and the only files that may use them. Data, no logic. */
export interface GlobalRule {
	/** A global, `object.member`, or `new Name()` without arguments. */
	readonly names: readonly string[];
	/** Modules whose import means the same. */
	readonly modules: readonly string[];
	/** Patterns of path.matchesGlob. */
	readonly allowed: readonly string[];
	/** What to use instead. */
	readonly instead: string;
}

/** What source may not use directly. Tests are held to `test_rules` instead. */
export const source_rules: readonly GlobalRule[] = [
	{
		names: ["console"],
		modules: ["node:console"],
		allowed: [],
		instead: "Write through the Log of src/telemetry, or the Output of src/cli.",
	},
	{
		names: ["process.env"],
		modules: [],
		allowed: ["src/lib/environment.ts"],
		instead: "Take an Environment (src/lib/environment.ts) as a parameter.",
	},
	{
		names: [
			"Date.now",
			"new Date()",
			"performance.now",
			"process.hrtime",
			"setTimeout",
			"setInterval",
			"AbortSignal.timeout",
		],
		modules: ["node:timers", "node:timers/promises", "node:perf_hooks"],
		allowed: ["src/lib/clock.ts", "src/lib/event-loop.ts", "src/dashboard/lib/clock.ts"],
		instead: "Take a Clock (src/lib/clock.ts) as a parameter.",
	},
	{
		names: ["setImmediate"],
		modules: [],
		allowed: ["src/lib/turn.ts"],
		instead: "Await nextTurn (src/lib/turn.ts).",
	},
	{
		names: ["Math.random"],
		modules: [],
		allowed: [],
		instead: "Take a Random (src/lib/random.ts) as a parameter.",
	},
	{
		names: [],
		modules: ["node:child_process", "node:cluster"],
		allowed: ["src/hosting/process/*.ts", "src/hosting/packages/run-program.ts"],
		instead: "Take a Spawner (src/upstreams/driver.ts) as a parameter.",
	},
];

/** What tests may not use: a test waits for the thing itself and is the same in every run. */
export const test_rules: readonly GlobalRule[] = [
	{
		names: ["Math.random"],
		modules: [],
		allowed: ["test/servers/**"],
		instead: "Use a seeded Random, so that a failure can be repeated.",
	},
	{
		names: [],
		modules: ["node:timers/promises"],
		allowed: ["test/servers/**", "test/support/**"],
		instead: "Tests do not sleep: wait for the event, or use the fake clock of test/support.",
	},
];

/** A text that has no place in the repository. */
export interface BannedText {
	readonly pattern: RegExp;
	readonly message: string;
}

/** Written in pieces, so that this file is not the one place that has them. */
const registry_hosts = [
	["registry", "npm" + "js", "org"],
	["npm" + "js", "com"],
	["py" + "pi", "org"],
	["python" + "hosted", "org"],
	["proxy", "golang", "org"],
	["static", "crates", "io"],
	["deb", "debian", "org"],
];

/** Folders of one machine, which mean nothing on another. */
const machine_folders = [
	"/wo" + "rk/(main|shared|[.])",
	"/ro" + "ot/",
	"/opt/whe" + "els",
	"/tmp/n2" + "4",
];

/** Everything that no file may say. */
export const banned_texts: readonly BannedText[] = [
	...registry_hosts.map((parts) => ({
		pattern: new RegExp(parts.join(String.raw`\.`), "i"),
		message: "Name packages, not the host names of their registries.",
	})),
	...machine_folders.map((folder) => ({
		pattern: new RegExp(String.raw`(?<![\w.*}~])${folder}`),
		message: "This path exists on one machine only; make it relative or compute it.",
	})),
	{
		pattern: new RegExp(String.raw`\.\./sha` + "red/"),
		message: "The repository does not refer to what lies outside it.",
	},
	{
		pattern: /\bA\d{3}\b/,
		message: "Say what is meant instead of a requirement's number.",
	},
	{
		pattern: /\bissue #?\d+\b|\bissues #\d+|\(#\d+\)/i,
		message: "Say what is meant instead of an issue's number.",
	},
	{
		pattern: new RegExp("\\b(TO" + "DO|FIX" + "ME|XX" + "X)\\b"),
		message: "Do it, or leave it out: nothing is left for later.",
	},
	{
		pattern: new RegExp("co-auth" + "ored-by|gener" + "ated (by|with) (an? )?(ai|llm|claude)", "i"),
		message: "The repository does not say which tools its authors used.",
	},
];
