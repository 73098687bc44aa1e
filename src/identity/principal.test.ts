import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { local_principal, partsOfPrincipal, principalOf } from "./principal.ts";

const part = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/);

test("the parts of a principal can be read back from its id", () => {
	fc.assert(
		fc.property(part, part, (tenant, user) => {
			assert.deepEqual(partsOfPrincipal(principalOf(tenant, user).id), { tenant, user });
		}),
	);
});

test("two people never have the same id", () => {
	fc.assert(
		fc.property(part, part, part, part, (tenant_a, user_a, tenant_b, user_b) => {
			const same = tenant_a === tenant_b && user_a === user_b;
			const [a, b] = [principalOf(tenant_a, user_a), principalOf(tenant_b, user_b)];
			assert.equal(a.id === b.id, same);
		}),
	);
});

test("without identity everyone is one person of this machine", () => {
	assert.deepEqual(partsOfPrincipal(local_principal.id), { tenant: "local", user: "local" });
});

test("a part with a slash is a defect, since ids could be confused", () => {
	assert.throws(() => principalOf("a/b", "c"));
	assert.throws(() => principalOf("a", "b/c"));
});
