import assert from "node:assert/strict";
import { test } from "node:test";
import { exposedUri } from "../../src/protocol/names.ts";
import { startGateway, stdioFixture } from "../support/gateway.ts";
import { keyHolder, openWireAs } from "../support/keyed-clients.ts";

/** Completions tell of prompts and resources: they are held to the rules of those. */

const ana = keyHolder("ana", "acme");
const bob = keyHolder("bob", "acme");

const unnamed = {
	hop: "clients",
	direction: "to-server",
	complaint: /CompleteRequest .*required property 'name'/u,
	why: "A client that does not say what it completes is told so.",
} as const;

for (const era of ["legacy", "modern"] as const) {
	test(`a ${era} client completes nothing of what it may not read`, async (t) => {
		const completing = { ...stdioFixture("completing"), scope: "shared" };
		const config = {
			identity: { keys: [ana.entry, bob.entry] },
			servers: { completing },
			policy: {
				rules: [
					{ name: "no hidden", method: "prompts/get", when: "name == 'hidden'", then: "deny" },
					{
						name: "no secrets",
						method: "resources/read",
						when: "name.startsWith('secret:') && principal.user == 'bob'",
						then: "deny",
					},
				],
			},
		};
		const gateway = await startGateway(config, { wrong: [unnamed] });
		t.after(() => gateway.stop());
		for (const endpoint of ["completing", undefined]) {
			const at = (name: string) => (endpoint === undefined ? `completing__${name}` : name);
			const under = (uri: string) => (endpoint === undefined ? exposedUri("completing", uri) : uri);
			const complete = async (who: typeof ana, ref: object) => {
				const client = await openWireAs(era, who, gateway.address(endpoint));
				const params = JSON.stringify({ ref, argument: { name: "a", value: "p" } });
				const { result, error } = await client.ask({ method: "completion/complete", params });
				return error === undefined ? JSON.stringify(result) : error.message;
			};
			const prompt = (name: string) => ({ type: "ref/prompt", name: at(name) });
			const resource = (uri: string) => ({ type: "ref/resource", uri: under(uri) });
			assert.match(await complete(bob, prompt("hidden")), /no hidden/);
			assert.match(await complete(bob, prompt("open")), /completed/);
			assert.match(await complete(bob, resource("secret://{id}")), /no secrets/);
			assert.match(await complete(ana, resource("secret://{id}")), /completed/);
			assert.match(await complete(bob, { type: "ref/prompt" }), /params\./);
		}
	});
}
