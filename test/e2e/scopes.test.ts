import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Scope } from "../../src/config/plan.ts";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { textOf } from "../support/raw-client.ts";
import { sandboxObstacle } from "../support/sandboxed.ts";
import { ModernWire } from "../support/wire-clients.ts";

/** Who shares an instance, and that nobody else comes upon anything of what was left there. */

/** A person may have several keys; each is a client of its own. */
const people = {
	alice: { tenant: "acme", user: "alice" },
	alice_again: { tenant: "acme", user: "alice" },
	bob: { tenant: "acme", user: "bob" },
	namesake: { tenant: "other", user: "alice" },
} as const;
type Person = keyof typeof people;
const everybody = Object.keys(people) as Person[];
const keys = new Map(everybody.map((name) => [name, newApiKey(systemRandom)]));

/** Who shares with whom. */
const groups: Readonly<Record<Scope, readonly (readonly Person[])[]>> = {
	shared: [everybody],
	tenant: [["alice", "alice_again", "bob"], ["namesake"]],
	user: [["alice", "alice_again"], ["bob"], ["namesake"]],
	session: everybody.map((name) => [name]),
};
const scopes = Object.keys(groups) as Scope[];

const obstacle = await sandboxObstacle();
const sandbox = obstacle === false ? "required" : "off";

let gateway: TestGateway;

before(async () => {
	const identity = {
		keys: everybody.map((name) => ({
			name,
			hash: `sha256:${hashApiKey(keys.get(name) ?? "")}`,
			...people[name],
		})),
	};
	const server = (scope: Scope) => ({ ...stdioFixture("keeping"), scope, sandbox });
	const servers = Object.fromEntries(scopes.map((scope) => [scope, server(scope)]));
	gateway = await startGateway({ identity, servers });
});

after(() => gateway.stop());

async function call(person: Person, scope: Scope, tool: string, args = "{}"): Promise<string> {
	const client = new ModernWire(gateway.address(scope));
	const headers = { authorization: `Bearer ${keys.get(person)}` };
	const params = `{"name":"${tool}","arguments":${args}}`;
	const reply = await client.ask({ method: "tools/call", params, headers });
	assert.equal(reply.error, undefined, JSON.stringify(reply.error));
	return textOf(reply);
}

for (const scope of scopes) {
	test(`with the scope ${scope}, those who share are served by one process, and only they`, async () => {
		const instances = new Map<string, Person[]>();
		for (const person of everybody) {
			const canary = `{"canary":"canary-of-${person}"}`;
			const instance = await call(person, scope, "keep", canary);
			instances.set(instance, [...(instances.get(instance) ?? []), person]);
			assert.equal(await call(person, scope, "instance"), instance, "it stays the same one");
		}
		assert.deepEqual([...instances.values()], groups[scope]);
	});
}

for (const scope of scopes) {
	test(`with the scope ${scope}, nobody else finds what was kept`, async () => {
		for (const person of everybody) {
			const sharing = groups[scope].find((group) => group.includes(person)) ?? [];
			const wanted = sharing.map((name) => `canary-of-${name}`).sort();
			// Without a sandbox everything runs as one user of the system, who may read its files.
			const beyond = obstacle === false;
			const found = await call(person, scope, "look", JSON.stringify({ beyond }));
			assert.deepEqual(JSON.parse(found), wanted, person);
		}
	});
}
