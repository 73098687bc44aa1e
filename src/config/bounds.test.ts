import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { loadPlan } from "./load.ts";
import { formatProblem } from "./problem.ts";

type Amount = string | number | readonly unknown[];

/** One key, what it may be, and what is just not possible any more, with what is said of it. */
interface Bound {
	readonly key: string;
	readonly good: readonly Amount[];
	readonly bad: readonly (readonly [value: Amount, said: RegExp])[];
}

const larger = /must be at least [\d.]+\. Write a larger number\./;
const smaller = /must be at most [\d.]+\. Write a smaller number\./;
const shorter = /is longer than \d+ characters\. Shorten it\./;
const fewer = /has more than \d+ entries\. Remove some\./;
const empty = /is empty\./;
const range = /must be between \d+\w+ and \d+\w+\. Write a value in this range\./;
const whole = /must be a whole number/;

function counted(key: string, least: number, most: number): Bound {
	return {
		key,
		good: [least, least + 1, most - 1, most],
		bad: [
			[least - 1, larger],
			[most + 1, smaller],
			[least + 0.5, whole],
		],
	};
}

function timed(key: string, more: readonly Amount[] = []): Bound {
	const bad = ["0ms", "86400001ms", "25h", "999999999h"].map((text) => [text, range] as const);
	return { key, good: ["1ms", "2ms", "86399999ms", "86400000ms", "24h", ...more], bad };
}

function spanned(key: string, good: readonly string[], bad: readonly string[]): Bound {
	return { key, good, bad: bad.map((text) => [text, range]) };
}

function sized(key: string, most_gib: number, more: readonly Amount[] = []): Bound {
	const most = most_gib * 1024 ** 3;
	const good = ["1024B", "1KiB", "1025B", `${most_gib}GiB`, ...more];
	const above = most < 1e12 ? `${most + 1}B` : `${most_gib * 1024 + 1}MiB`;
	return { key, good, bad: ["0B", "1023B", above, `${most_gib + 1}GiB`].map((it) => [it, range]) };
}

function longText(key: string, most: number): Bound {
	const good = ["x", "x".repeat(most - 1), "x".repeat(most)];
	return {
		key,
		good,
		bad: [
			["", empty],
			["x".repeat(most + 1), shorter],
		],
	};
}

const running: readonly Bound[] = [
	counted("concurrency", 1, 1_000_000),
	counted("replicas", 1, 64),
	counted("max_instances", 1, 1_000_000),
	counted("queue.calls", 1, 1_000_000),
	timed("queue.wait"),
	timed("idle.freeze", ["never"]),
	timed("idle.reclaim", ["never"]),
	timed("idle.stop", ["never"]),
	timed("timeouts.start"),
	timed("timeouts.call"),
	timed("timeouts.stop"),
	timed("health.ping", ["never"]),
	counted("health.fails", 1, 100),
	sized("limits.memory", 1024 ** 2, ["off"]),
	sized("limits.file", 1024 ** 2, ["off"]),
	sized("limits.disk", 1024 ** 2, ["off"]),
	counted("limits.processes", 1, 1_000_000),
	counted("limits.open_files", 1, 1_000_000),
	{
		key: "limits.cpus",
		good: ["off", 0.01, 0.011, 1, 1023.99, 1024],
		bad: [
			[0, larger],
			[0.009, larger],
			[1024.01, smaller],
		],
	},
	counted("rollout.percent", 1, 100),
	counted("rollout.errors", 0, 100),
	timed("rollout.watch"),
	longText("reviewed", 200),
	{
		key: "warm.at",
		good: [[], ["00:00"], ["23:59"], ["sun-sat 23:59"]],
		bad: ["24:00", "23:60", "-1:00", "8:00:00", "sund 08:00"].map((text) => [
			[text],
			/not a time of the day\. Write for example `08:00`/,
		]),
	},
	{
		// egress_hosts_max and port_max
		key: "sandbox.egress",
		good: [[], hosts(255), hosts(256), ["a.example:1"], ["a.example:65535"]],
		bad: [
			[hosts(257), /lists more than 256 hosts\. Use patterns such as `\*\.example\.com`\./],
			[["a.example:0"], /not the name of a host/],
			[["a.example:65536"], /not the name of a host/],
		],
	},
	{
		key: "sandbox.egress",
		good: [["a".repeat(252)], ["a".repeat(253)]],
		bad: [[["a".repeat(254)], /not the name of a host/]],
	},
];

const whole_gateway: readonly Bound[] = [
	sized("limits.body", 1),
	sized("limits.headers", 1),
	sized("limits.reply", 1),
	counted("limits.requests_in_flight", 1, 1_000_000),
	counted("limits.sessions", 1, 1_000_000),
	counted("limits.calls_per_server", 1, 1_000_000),
	timed("limits.list_wait"),
	timed("limits.request_read"),
	sized("calls.file.size", 1),
	counted("calls.file.count", 1, 1000),
	counted("calls.max", 1000, 1_000_000_000),
	counted("audit.keep_days", 1, 3650),
	sized("audit.payload", 1),
	counted("approvals.count", 1, 10),
	spanned("approvals.expires", ["1000ms", "1001ms", "720h"], ["0s", "999ms", "721h"]),
	spanned("approvals.wait", ["0s", "1ms", "599999ms", "10m"], ["600001ms", "11m"]),
	counted("secrets.age_days_max", 1, 36_500),
	{
		key: "approvals.webhooks",
		good: [[], webhooks(15), webhooks(16)],
		bad: [[webhooks(17), fewer]],
	},
	counted("policy.loops.calls", 2, 10_000),
	timed("policy.loops.within"),
	spanned("telemetry.otlp.interval", ["1s", "1001ms", "24h"], ["0s", "999ms", "25h", "999999999h"]),
	spanned("telemetry.traces.slow", ["0s", "1ms", "24h"], ["25h"]),
	{
		key: "telemetry.traces.share",
		good: ["0%", "0.001%", "99.999%", "100%"],
		bad: [
			["100.001%", /is more than all calls\. Write `100%`\./],
			["999%", /is more than all calls/],
			["1000%", /is not a share\. Write a percentage/],
		],
	},
	spanned("alerts.repeat", ["0s", "1ms", "720h"], ["721h", "999999999h"]),
	{
		key: "alerts.rules.tenant_rate.within",
		good: ["1m", "61s", "168h"],
		bad: [
			["0s", range],
			["59s", range],
			["169h", /looks back further than calls stay counted\. Write at most `168h`/],
			["721h", range],
		],
	},
	spanned("alerts.rules.about_to_expire.within", ["1m", "720h"], ["59s", "721h"]),
	spanned("alerts.rules.tenant_rate.for", ["0s", "720h"], ["721h"]),
	spanned("alerts.rules.tenant_rate.clear", ["0s", "720h"], ["721h"]),
	{
		key: "alerts.rules.tenant_rate.baseline",
		good: ["24h", "1441m", "8760h"],
		bad: [
			["1439m", /has too little to compare with\. Write at least `24h`/],
			["8761h", range],
		],
	},
	spanned("alerts.rules.tool_latency.baseline", ["1h", "61m", "8760h"], ["8761h"]),
	counted("alerts.rules.tenant_rate.min", 1, 1_000_000),
];

for (const bound of running) {
	test(`a server's \`${bound.key}\` ends at its bounds: ${bound.good.length} values`, (context) =>
		keepsTo(context, bound, ["servers", "one"]));
}

for (const bound of whole_gateway) {
	test(`\`${bound.key}\` ends at its bounds: ${bound.good.length} values`, (context) =>
		keepsTo(context, bound, []));
}

/** Loads the configuration with each value, and with nothing else that could be wrong. */
async function keepsTo(context: TestContext, bound: Bound, at: readonly string[]): Promise<void> {
	const cwd = await tempFolder(context);
	for (const value of bound.good) {
		assert.equal(await saidOf(cwd, [...at, ...bound.key.split(".")], value), "");
	}
	for (const [value, said] of bound.bad) {
		const text = await saidOf(cwd, [...at, ...bound.key.split(".")], value);
		assert.match(text, said);
		assert.match(text, /^moorage\.yaml:\d+:\d+: /, "it says where");
		assert.equal(text.split("\n").length, 1, "and nothing else is wrong");
	}
}

async function saidOf(
	cwd: string,
	path: readonly string[],
	value: Amount,
	more: object = {},
): Promise<string> {
	const content: Record<string, unknown> = { servers: { one: { command: "run", ...more } } };
	if (path[1] === "otlp") content["telemetry"] = { otlp: { url: "http://127.0.0.1:1" } };
	let inner = content;
	for (const step of path.slice(0, -1)) {
		inner[step] ??= step === "rules" && path[0] === "policy" ? [{ tool: "a" }] : {};
		inner = inner[step] as Record<string, unknown>;
	}
	inner[path.at(-1) as string] = value;
	await writeFile(join(cwd, "moorage.yaml"), JSON.stringify(content));
	const loaded = await loadPlan({
		...{ path: "moorage.yaml", cwd, home: cwd },
		environment: { HOOK_SECRET: "whsec_dGhpcyBpcyBhIHNlY3JldCBvZiBhIHRlc3QgYW5kIGxvbmc" },
		overrides: {},
	});
	return loaded.ok ? "" : loaded.problem.map(formatProblem).join("\n");
}

function hosts(count: number): string[] {
	return Array.from({ length: count }, (_, index) => `h${index}.example.com`);
}

function webhooks(count: number): object[] {
	return Array.from({ length: count }, (_, index) => ({
		name: `w${index}`,
		url: "https://hooks.example.com/a",
		secret: "${env:HOOK_SECRET}",
	}));
}

test("a tool's or a rule's approval may take as long as any", async (context) => {
	const cwd = await tempFolder(context);
	for (const at of [
		["servers", "one", "tools", "do_*", "approval", "expires"],
		["policy", "rules", "0", "ask", "expires"],
	]) {
		for (const text of ["1s", "25h", "720h"]) assert.equal(await saidOf(cwd, at, text), "");
		for (const text of ["999ms", "721h"]) assert.match(await saidOf(cwd, at, text), range);
	}
});

test("no more replicas are asked for than there may be instances", async (context) => {
	const cwd = await tempFolder(context);
	const at = ["servers", "one", "replicas"];
	for (const replicas of [1, 2, 3]) {
		assert.equal(await saidOf(cwd, at, replicas, { max_instances: 3 }), "");
	}
	assert.match(
		await saidOf(cwd, at, 4, { max_instances: 3 }),
		/: There may be 3 instances \(`max_instances`\), and not 4 replicas\. Write fewer `replicas`/,
	);
});
