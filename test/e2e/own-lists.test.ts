import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { eventually } from "../support/processes.ts";
import { ModernWire } from "../support/wire-clients.ts";

/** What a server of one's own lists at an address of several is for its owner's eyes alone. */

const people = ["ana", "ben", "eve"] as const;
type Person = (typeof people)[number];
const keys = new Map(people.map((name) => [name, newApiKey(systemRandom)]));
let gateway: TestGateway;

before(async () => {
	const identity = {
		keys: people.map((name) => ({
			name,
			hash: `sha256:${hashApiKey(keys.get(name) ?? "")}`,
			user: name,
		})),
	};
	const servers = {
		own: { ...stdioFixture("list-changing"), scope: "user" },
		common: stdioFixture("echo"),
	};
	gateway = await startGateway({ identity, servers });
});

after(() => gateway.stop());

async function ask(person: Person, method: string, params = "{}") {
	const client = new ModernWire(gateway.address());
	const headers = { authorization: `Bearer ${keys.get(person)}` };
	return client.ask({ method, params, headers });
}

async function toolsOf(person: Person): Promise<string[]> {
	const { result } = await ask(person, "tools/list");
	const { tools } = result as { readonly tools: readonly { readonly name: string }[] };
	return tools.map(({ name }) => name).filter((name) => name.startsWith("own__"));
}

const common = ["own__add_tool", "own__remove_tool"];

test("each person sees their own tools beside the common ones, and nobody else's", async () => {
	for (const person of people) assert.deepEqual(await toolsOf(person), common);
	const params = '{"name":"own__add_tool","arguments":{"name":"canary_of_ana"}}';
	const added = await ask("ana", "tools/call", params);
	assert.equal(added.error, undefined);
	const mine = await eventually(
		() => toolsOf("ana"),
		(names) => names.includes("own__canary_of_ana"),
	);
	assert.deepEqual(mine, ["own__add_tool", "own__canary_of_ana", "own__remove_tool"]);
	for (const person of ["ben", "eve"] as const) assert.deepEqual(await toolsOf(person), common);
});

test("what only one person's server offers can be called by that person alone", async () => {
	const params = '{"name":"own__canary_of_ana","arguments":{}}';
	const mine = await ask("ana", "tools/call", params);
	assert.match(JSON.stringify(mine.result), /I am canary_of_ana/);
	const theirs = await ask("ben", "tools/call", params);
	assert.equal(theirs.error?.code, -32602);
});
