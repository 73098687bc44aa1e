import assert from "node:assert/strict";
import { test } from "node:test";
import { describeChanges } from "./describe-changes.ts";
import type { ServerPlan, StdioSpec } from "./plan.ts";
import { declared_running } from "./running.ts";

const spec: StdioSpec = { driver: "stdio", command: "run", args: [], env: {}, cwd: "/" };

function plan(change: Partial<ServerPlan> = {}): ServerPlan {
	return {
		name: "files",
		title: "files",
		spec,
		scope: "shared",
		start: "eager",
		tools: { allow: [], deny: [] },
		timeouts: { start_ms: 1, call_ms: 2, stop_ms: 3 },
		...declared_running,
		fingerprint: "one",
		...change,
	};
}

test("equal plans have nothing to describe, whatever their fingerprints", () => {
	assert.deepEqual(describeChanges(plan(), plan({ fingerprint: "two" })), []);
});

test("every difference is named by its place, with its values", () => {
	const after = plan({
		scope: "user",
		timeouts: { start_ms: 1, call_ms: 20, stop_ms: 3 },
		idle: { ...declared_running.idle, freeze_ms: undefined },
	});
	assert.deepEqual(describeChanges(plan(), after), [
		"idle.freeze_ms: 30000 is gone",
		'scope: "shared" -> "user"',
		"timeouts.call_ms: 2 -> 20",
	]);
});

test("what may be a secret is named and never shown", () => {
	const before = plan({ spec: { ...spec, env: { TOKEN: "old-secret", GONE: "gone-secret" } } });
	const after = plan({
		spec: { ...spec, args: ["--key=arg-secret"], env: { TOKEN: "new-secret", NEW: "x-secret" } },
	});
	const lines = describeChanges(before, after);
	assert.deepEqual(lines, [
		"spec.args: changed",
		"spec.env.GONE: removed",
		"spec.env.NEW: added",
		"spec.env.TOKEN: changed",
	]);
	assert.doesNotMatch(lines.join("\n"), /secret/);
});

test("another kind of server differs in all that only one of them has", () => {
	const after = plan({
		spec: { driver: "http", url: "https://example.com/?token=secret", headers: {} },
	});
	const lines = describeChanges(plan(), after);
	assert.ok(lines.includes('spec.driver: "stdio" -> "http"'));
	assert.doesNotMatch(lines.join("\n"), /secret/);
});
