import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { openWire } from "../support/wire-clients.ts";

/** Names as long as a body may be: they are refused before anything is made of them. */

let gateway: TestGateway;

before(async () => {
	gateway = await startGateway({
		servers: { slow: { ...stdioFixture("slow"), tools: { wait: { risk: "read" } } } },
		policy: [
			{
				name: "hands off",
				method: ["*"],
				when: 'name.matches("^.*delete.*prod.*$") || method.matches("^.*delete.*prod.*$")',
				then: "deny",
			},
		],
	});
});

after(() => gateway.stop());

const long = "delete".repeat(100_000);

for (const era of ["legacy", "modern"] as const) {
	for (const endpoint of ["slow", undefined] as const) {
		test(`${era}: long names, URIs and methods are refused at ${endpoint ?? "all servers"}`, async () => {
			const client = await openWire(era, gateway.address(endpoint));
			const asked = [
				["tools/call", { name: long, arguments: {} }, "name has 600002 bytes; at most 1024"],
				["prompts/get", { name: long }, "name has 600002 bytes; at most 1024"],
				["resources/read", { uri: `x:${long}` }, "uri has 600004 bytes; at most 8192"],
			] as const;
			for (const [method, params, text] of asked) {
				const headers = era === "modern" ? { "mcp-name": "see the body" } : {};
				const { error } = await client.ask({ method, params: JSON.stringify(params), headers });
				if (era === "legacy") {
					assert.equal(error.code, -32602);
					assert.ok(error.message.includes(text), error.message);
				} else assert.ok(error.code < 0, "the header that has to repeat the name cannot");
			}
			const { result } = await client.call(
				endpoint === undefined ? "slow__wait" : "wait",
				'{"ms":1}',
			);
			assert.equal(result?.content?.[0]?.text, "waited 1 ms");
		});
	}
}

test("a long name that a caller made up is no label of a metric", async () => {
	const client = await openWire("legacy", gateway.address("slow"));
	await client.ask({ method: "tools/call", params: `{"name":"${long}","arguments":{}}` });
	const metrics = await (await fetch(new URL("/metrics", gateway.url))).text();
	assert.ok(!metrics.includes("deletedelete"), "a caller's text is a label");
	assert.match(metrics, /moorage_calls_total\{server="slow",[^}]*tool="_unknown"/);
	assert.match(metrics, /moorage_call_errors_total\{[^}]*tool="_unknown",code="not_offered"\}/);
});

test("a method as long as a body may be is none", async () => {
	const client = await openWire("legacy", gateway.address("slow"));
	const { error } = await client.ask({ method: long });
	assert.equal(error.code, -32602);
	assert.match(error.message, /The method has 600000 characters; at most 256 are accepted/);
});
