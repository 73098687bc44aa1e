import assert from "node:assert/strict";
import { test } from "node:test";
import type { EgressPlan, ServerPlan } from "../../config/plan.ts";
import { declared_running } from "../../config/running.ts";
import { originRules } from "./origin-rules.ts";

function rulesWith(egress: EgressPlan, changes: Partial<ServerPlan> = {}) {
	const sandbox = { ...declared_running.sandbox, egress };
	const spec = { driver: "stdio" } as ServerPlan["spec"];
	return originRules({ spec, sandbox, untrusted: false, ...changes });
}

const hosts = (...list: string[]): EgressPlan => ({ kind: "hosts", hosts: list });

test("an app may reach the hosts that its server may, at their ports", () => {
	const may = rulesWith(hosts("api.example.com", "db.example.com:5432", "*.cdn.example"));
	const answers = [
		["https://api.example.com", true],
		["https://API.example.com", true],
		["wss://api.example.com", true],
		["https://api.example.com:8443", false],
		["https://db.example.com:5432", true],
		["https://db.example.com", false],
		["https://a.cdn.example", true],
		["https://*.cdn.example", true],
		["https://*.a.cdn.example", true],
		["https://*.example", false],
		["https://*.api.example.com", false],
		["https://other.example.com", false],
	] as const;
	for (const [origin, good] of answers) assert.equal(may(origin), good, origin);
});

test("without a network an app has none, and an untrusted server's app only what is named", () => {
	assert.equal(rulesWith(hosts())("https://api.example.com"), false);
	assert.equal(rulesWith({ kind: "public" })("https://api.example.com"), true);
	assert.equal(rulesWith({ kind: "public" }, { untrusted: true })("https://a.example"), false);
	const remote = { spec: { driver: "http" } as ServerPlan["spec"] };
	assert.equal(rulesWith(hosts(), remote)("https://api.example.com"), true);
});
