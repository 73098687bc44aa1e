import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import type { IdentityPlan } from "../config/plan-identity.ts";
import { hashApiKey, newApiKey } from "./api-keys.ts";
import { Identity } from "./identity.ts";

const random = new SeededRandom(1);
const keys = { ana: newApiKey(random), bob: newApiKey(random) };
type Person = keyof typeof keys;

function planFor(...users: readonly Person[]): IdentityPlan {
	const key = (user: Person) => ({
		...{ name: user, tenant: "acme", user, hash: hashApiKey(keys[user]), roles: [] },
		...{ scopes: undefined, expires_at_ms: undefined },
	});
	return {
		...{ keys: users.map(key), issuers: [], certificates: [], scopes: [], login: undefined },
		dpop_nonces: "off",
	};
}

function setUp() {
	const identity = new Identity({ clock: new FakeClock(), random }, planFor("ana", "bob"));
	/** Who sends a header over a connection, or why nobody. */
	const whoIs = async (authorization: string | undefined, connection: object) => {
		const found = await identity.identify(
			{
				...{ authorization, connection, proofs: [], method: "POST", url: "https://x/mcp" },
				...{ resources: [], nonce_required: false, certificate: undefined },
			},
			0,
		);
		return found.ok ? found.value.id : found.problem.code;
	};
	return { identity, whoIs };
}

test("what a connection brought before says nothing of what it brings next", async () => {
	const { whoIs } = setUp();
	const [one, other] = [{}, {}];
	const bearer = (user: Person) => `Bearer ${keys[user]}`;
	for (const connection of [one, other, one]) {
		assert.equal(await whoIs(bearer("ana"), connection), "acme/ana");
		assert.equal(await whoIs(bearer("ana"), connection), "acme/ana");
		assert.equal(await whoIs(bearer("bob"), connection), "acme/bob");
		assert.equal(await whoIs(undefined, connection), "credential_missing");
		assert.equal(await whoIs(`${bearer("bob")} x`, connection), "credential_malformed");
		assert.equal(await whoIs(`${bearer("bob")}x`, connection), "credential_unknown");
		assert.equal(await whoIs(bearer("bob").toUpperCase(), connection), "credential_unknown");
	}
});

test("a key that is gone is nobody's over a connection that brought it before, too", async () => {
	const { identity, whoIs } = setUp();
	const connection = {};
	assert.equal(await whoIs(`Bearer ${keys.ana}`, connection), "acme/ana");
	identity.use(planFor("bob"));
	assert.equal(await whoIs(`Bearer ${keys.ana}`, connection), "credential_unknown");
	assert.equal(await whoIs(`Bearer ${keys.bob}`, connection), "acme/bob");
});
