import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { startHttpFixture } from "../../../test/support/fixtures.ts";
import { httpDriver } from "../../../test/support/http-driver.ts";
import {
	callTool,
	faultOf,
	openUpstream,
	Recorder,
	recordingContext,
	taken,
	textOf,
} from "../../../test/support/upstream-harness.ts";

async function start(t: TestContext, name: string, args: string[] = []) {
	const fixture = await startHttpFixture(name, args);
	t.after(() => fixture.stop());
	return fixture;
}

async function openUnstable(t: TestContext) {
	const { url, stop } = await start(t, "unstable-sse", ["--sse"]);
	const headers = { authorization: "Bearer x" };
	const spec = { driver: "http" as const, url, headers, transport: "sse" as const };
	const opened = await openUpstream(httpDriver, spec);
	t.after(() => opened.upstream.close());
	const counts = async () => JSON.parse(textOf(await callTool(opened.upstream, "counts")));
	return { ...opened, counts, stop };
}

describe("a server of the HTTP+SSE transport", { concurrency: 2 }, () => {
	test("one built with the official SDK is found and used", async (t) => {
		const { url } = await start(t, "sdk-v1-sse");
		const spec = { driver: "http" as const, url, headers: {} };
		const { upstream } = await openUpstream(httpDriver, spec);
		t.after(() => upstream.close());
		assert.equal(upstream.hello.era, "legacy");
		assert.equal(textOf(await callTool(upstream, "echo", { text: "over sse" })), "over sse");
		const steps: string[] = [];
		await callTool(
			upstream,
			"steps",
			{ steps: 3 },
			{ token: "1", onNotification: ({ method }) => steps.push(method ?? "") },
		);
		assert.equal(steps.length, 3);
	});

	test("configured headers and the revision go with every message", async (t) => {
		const { counts } = await openUnstable(t);
		const { headers } = await counts();
		assert.equal(headers["authorization"], "Bearer x");
		assert.equal(headers["mcp-protocol-version"], "2025-11-25");
	});

	test("a broken stream ends what was on its way, and a new one takes its place", async (t) => {
		const { upstream, recorder, counts } = await openUnstable(t);
		const held = Promise.withResolvers<void>();
		const onNotification = () => held.resolve();
		const call = callTool(upstream, "hold", {}, { token: "1", onNotification });
		await held.promise;
		assert.equal(textOf(await callTool(upstream, "cut")), "done");
		const fault = faultOf(await call);
		assert.equal(fault.code, "server_exited");
		assert.equal(fault.retry_safe, false);
		assert.equal(textOf(await callTool(upstream, "echo", { text: "again" })), "again");
		assert.equal((await counts()).opened, 2);
		assert.deepEqual(recorder.gone, []);
		assert.equal(upstream.in_flight, 0);
	});

	test("a server that has forgotten the connection gets a new one", async (t) => {
		const { upstream, recorder, counts } = await openUnstable(t);
		assert.equal(textOf(await callTool(upstream, "forget")), "done");
		let outcome = await callTool(upstream, "echo", { text: "x" });
		while (outcome.ok) outcome = await callTool(upstream, "echo", { text: "x" });
		const fault = faultOf(outcome);
		assert.equal(fault.code, "server_exited");
		assert.equal(fault.retry_safe, true);
		assert.equal(textOf(await callTool(upstream, "echo", { text: "again" })), "again");
		assert.equal((await counts()).opened, 2);
		assert.deepEqual(recorder.gone, []);
	});

	test("a server that does not come back is gone", async (t) => {
		const { upstream, recorder, stop } = await openUnstable(t);
		await stop();
		await recorder.until(() => recorder.gone.length === 1);
		assert.match(recorder.gone[0]?.message ?? "", /could not be connected to anew/);
		assert.equal(faultOf(await callTool(upstream, "echo")).code, "server_exited");
		await upstream.close();
	});

	for (const [args, code, words] of [
		[["--elsewhere"], "server_protocol", /another origin/],
		[["--mute"], "server_failed", /no endpoint event within 0.3 s/],
	] as const) {
		test(`an endpoint that will not do is refused: ${args[0]}`, async (t) => {
			const { url } = await start(t, "echo", ["--sse", ...args]);
			const spec = { driver: "http" as const, url, headers: {}, transport: "sse" as const };
			const context = recordingContext(new Recorder(), { start_ms: 300 });
			const fault = faultOf(await httpDriver.open(spec, context));
			assert.equal(fault.code, code);
			assert.match(fault.message, words);
		});
	}

	test("where there is no stream either, the first refusal is told", async (t) => {
		const { url } = await start(t, "echo", ["--sse"]);
		const nowhere = url.replace("/sse", "/nowhere");
		const context = recordingContext(new Recorder());
		const spec = { driver: "http" as const, url: nowhere, headers: {} };
		const fault = faultOf(await httpDriver.open(spec, context));
		assert.equal(fault.code, "server_rejected");
		assert.match(fault.message, /HTTP 404/);
	});

	test("a Streamable HTTP server is not one of these", async (t) => {
		const { url } = await start(t, "echo", ["--http"]);
		const spec = { driver: "http" as const, url, headers: {}, transport: "sse" as const };
		const context = recordingContext(new Recorder());
		assert.equal(faultOf(await httpDriver.open(spec, context)).code, "server_rejected");
		const open = await httpDriver.open({ ...spec, transport: undefined } as never, context);
		await taken(open).close();
	});
});
