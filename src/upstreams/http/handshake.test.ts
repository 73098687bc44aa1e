import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { httpDriver } from "../../../test/support/http-driver.ts";
import { answerJson, answerLegacyBasics, serveHttp } from "../../../test/support/local-http.ts";
import { openUpstream } from "../../../test/support/upstream-harness.ts";

async function open(t: TestContext, origin: string) {
	const spec = { driver: "http" as const, url: `${origin}/mcp`, headers: {} };
	const opened = await openUpstream(httpDriver, spec, {});
	t.after(() => opened.upstream.close());
	return opened;
}

test("a legacy server that has an empty result for whatever it is asked", async (t) => {
	const { origin } = await serveHttp(t, (request, response) => {
		if (request.body?.method !== "server/discover") answerLegacyBasics(request, response);
		else answerJson(response, 200, { jsonrpc: "2.0", id: request.body.id, result: {} });
	});
	const { upstream } = await open(t, origin);
	assert.equal(upstream.hello.era, "legacy");
});

test("a modern server that first refuses the revision and then offers it", async (t) => {
	let refusals = 1;
	const { origin, seen } = await serveHttp(t, (request, response) => {
		const id = request.body?.id;
		if (refusals > 0) {
			refusals -= 1;
			const data = { supported: ["2026-07-28"], requested: "2026-07-28" };
			const error = { code: -32022, message: "Unsupported", data };
			answerJson(response, 400, { jsonrpc: "2.0", id, error });
		} else {
			const result = { supportedVersions: ["2026-07-28"], capabilities: {} };
			answerJson(response, 200, { jsonrpc: "2.0", id, result });
		}
	});
	const { upstream } = await open(t, origin);
	assert.equal(upstream.hello.revision, "2026-07-28");
	assert.deepEqual(
		seen.map(({ body }) => body?.method),
		["server/discover", "server/discover"],
	);
});
