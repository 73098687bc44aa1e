import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { ModernWire } from "../support/wire-clients.ts";

const hot_key = newApiKey(systemRandom);
const quiet_key = newApiKey(systemRandom);
const places = 8;

let gateway: TestGateway;

before(async () => {
	gateway = await startGateway({
		identity: {
			keys: [
				{ name: "hot", hash: `sha256:${hashApiKey(hot_key)}`, tenant: "hot", user: "bot" },
				{ name: "quiet", hash: `sha256:${hashApiKey(quiet_key)}`, tenant: "quiet", user: "ana" },
			],
		},
		limits: { requests_in_flight: places },
		servers: { slow: { ...stdioFixture("slow"), sandbox: "off", scope: "shared" } },
	});
});

after(() => gateway.stop());

/** One call of a modern client, as a request of its own. */
async function call(key: string, tool: string, args: object) {
	const wire = new ModernWire(gateway.address("slow"));
	const params = JSON.stringify({ name: tool, arguments: args });
	const request = { method: "tools/call", id: "1", params };
	const response = await fetch(gateway.address("slow"), {
		method: "POST",
		headers: { ...wire.headers(request), authorization: `Bearer ${key}` },
		body: wire.compose(request),
	});
	const retry_after = response.headers.get("retry-after");
	return { status: response.status, retry_after, text: await response.text() };
}

test("a hot tenant that takes all it can leaves a quiet one its calls", async () => {
	// As many calls as there are places, each held until it is released.
	const refused = new Set<string>();
	const half_refused = Promise.withResolvers<void>();
	const flood = Array.from({ length: places }, async (_, at) => {
		const answer = await call(hot_key, "hold", { key: `h${at}` });
		if (answer.status === 503 && refused.add(`h${at}`).size === places / 2) half_refused.resolve();
		return answer;
	});
	await half_refused.promise;
	const again = await call(hot_key, "hold", { key: "late" });
	assert.deepEqual([again.status, again.retry_after], [503, "1"]);
	assert.match(again.text, /"overloaded"/);
	assert.match(again.text, /your tenant has its share/);
	// One after the other, and several at once.
	for (let at = 0; at < 3; at += 1) {
		assert.equal((await call(quiet_key, "wait", { ms: 0 })).status, 200);
	}
	const together = await Promise.all([0, 0].map((ms) => call(quiet_key, "wait", { ms })));
	assert.deepEqual(
		together.map(({ status }) => status),
		[200, 200],
	);
	for (let at = 0; at < places; at += 1) {
		const key = `h${at}`;
		// A call that was let in may still be on its way to its server.
		while (!refused.has(key) && !(await call(quiet_key, "release", { key })).text.includes("true"));
	}
	const statuses = (await Promise.all(flood)).map(({ status }) => status).toSorted();
	assert.deepEqual(statuses, [200, 200, 200, 200, 503, 503, 503, 503]);
	assert.equal((await call(hot_key, "wait", { ms: 0 })).status, 200);
});
