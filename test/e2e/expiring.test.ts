import assert from "node:assert/strict";
import { test } from "node:test";
import { readAdminToken } from "../../src/admin/token.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { startGateway } from "../support/gateway.ts";
import { eventually } from "../support/processes.ts";

const day_ms = 86_400_000;
const evaluation_ms = 10_000;

test("a key made while the gateway runs and a value of the vault raise an alert in time", async (t) => {
	let jump_ms = 0;
	// Days pass at once, and rules are looked at more often than every ten seconds.
	const clock: Clock = {
		...systemClock,
		now: () => systemClock.now() + jump_ms,
		monotonic: () => systemClock.monotonic() + jump_ms,
		afterIdle: (delay_ms, fn) =>
			systemClock.afterIdle(delay_ms === evaluation_ms ? 50 : delay_ms, fn),
	};
	const config = { identity: {}, secrets: { age_days_max: 40 }, servers: {} };
	const gateway = await startGateway(config, { clock });
	t.after(() => gateway.stop());
	const token = await readAdminToken(`${gateway.folder}/.moorage`);
	assert.ok(token.ok);
	const api = async (method: string, path: string, body?: object) => {
		const response = await fetch(`${gateway.url}/api/${path}`, {
			method,
			headers: { authorization: `Bearer ${token.value}`, "content-type": "application/json" },
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		});
		assert.ok(response.ok, `${method} ${path}: ${response.status}`);
		return (await response.json()) as { alerts: { subject: string; summary: string }[] };
	};
	const expires_at_ms = clock.now() + 20 * day_ms;
	await api("POST", "keys", { name: "ci", tenant: "acme", user: "ana", expires_at_ms });
	await api("PUT", "secrets/github", { value: "a-value-to-exchange" });
	const firing = async () => (await api("GET", "alerts?state=firing")).alerts;
	const subjects = async () => (await firing()).map(({ subject }) => subject);

	jump_ms = 14 * day_ms;
	const first = await eventually(subjects, (found) => found.length > 0);
	assert.deepEqual(first, ["key/ci"]);

	await api("DELETE", "keys/ci");
	jump_ms = 34 * day_ms;
	await eventually(subjects, (found) => found.includes("secret/github"));
	const told = (await firing()).find(({ subject }) => subject === "secret/github");
	assert.match(told?.summary ?? "", /reaches its age limit: .*moorage secret rotate/);
	await api("PUT", "secrets/github", { value: "another-value" });
	jump_ms = 34.1 * day_ms;
	await eventually(subjects, (found) => found.length === 0);
});
