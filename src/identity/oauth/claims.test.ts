import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ClaimsPlan } from "../../config/plan-claims.ts";
import { partOf, principalFromClaims } from "./claims.ts";

const plain: ClaimsPlan = {
	tenant: { kind: "fixed", name: "acme" },
	user: "sub",
	client: undefined,
	roles: undefined,
	role_names: undefined,
	scopes: undefined,
};

function principal(claims: Record<string, unknown>, changes: Partial<ClaimsPlan> = {}) {
	const made = principalFromClaims(claims, { ...plain, ...changes });
	assert.ok(made.ok, made.ok ? "" : made.problem);
	return made.value;
}

function problem(claims: Record<string, unknown>, changes: Partial<ClaimsPlan> = {}): string {
	const made = principalFromClaims(claims, { ...plain, ...changes });
	assert.ok(!made.ok);
	return made.problem;
}

test("a token's subject is a person of the issuer's tenant", () => {
	const claims = { sub: "alice", client_id: "cli", scope: "read write read", roles: ["admin"] };
	assert.deepEqual(principal(claims), {
		id: "acme/alice",
		tenant: "acme",
		user: "alice",
		client: "cli",
		roles: [],
		scopes: ["read", "write"],
		claims,
		via: "token",
	});
});

test("claims are found by their name, by a name with dots, and by a path", () => {
	const claims = {
		sub: "x",
		"https://example.com/roles": ["a"],
		realm_access: { roles: ["b", "b"] },
		groups: "c d",
	};
	const rolesAt = (roles: string) => principal(claims, { roles }).roles;
	assert.deepEqual(rolesAt("https://example.com/roles"), ["a"]);
	assert.deepEqual(rolesAt("realm_access.roles"), ["b"]);
	assert.deepEqual(rolesAt("groups"), ["c", "d"]);
	for (const nothing of ["no", "realm_access.no", "sub.length", "constructor.name", "__proto__"]) {
		assert.deepEqual(rolesAt(nothing), [], nothing);
	}
});

test("where roles have other names here, those without one give none", () => {
	const changes = { roles: "groups", role_names: { chiefs: "admin", bosses: "admin" } };
	const groups = ["chiefs", "bosses", "admin", "toString"];
	assert.deepEqual(principal({ sub: "x", groups }, changes).roles, ["admin"]);
});

test("the tenant comes from the claim that is configured, and only as far as the issuer goes", () => {
	const changes = { tenant: { kind: "claim", claim: "org", allowed: ["team-*"] } } as const;
	assert.equal(principal({ sub: "x", org: "team-a" }, changes).tenant, "team-a");
	assert.match(problem({ sub: "x", org: "other" }, changes), /does not speak for/);
	assert.match(problem({ sub: "x" }, changes), /"org" is missing/);
	assert.match(problem({ sub: "x", org: ["team-a"] }, changes), /"org" is missing or no text/);
	assert.equal(principal({ sub: "x", org: "b", tenant: "c" }).tenant, "acme");
});

test("a token without a person, or with an unverified mail address, is nobody's", () => {
	for (const claims of [{}, { sub: "" }, { sub: 7 }, { sub: { a: 1 } }]) {
		assert.match(problem(claims), /"sub" is missing/);
	}
	const mail = { user: "email" };
	const email = "a@example.com";
	for (const email_verified of [true, "true"]) {
		assert.equal(principal({ email, email_verified }, mail).user, email);
	}
	for (const email_verified of [undefined, false, "false", 1, null]) {
		assert.match(problem({ email, email_verified }, mail), /not verified/);
	}
});

test("scopes are read from where issuers put them, and a token without any has none", () => {
	assert.deepEqual(principal({ sub: "x", scp: ["a", "b"] }).scopes, ["a", "b"]);
	assert.deepEqual(principal({ sub: "x", scp: "a b" }).scopes, ["a", "b"]);
	assert.deepEqual(principal({ sub: "x", scope: "a", scp: "b" }).scopes, ["a"]);
	assert.deepEqual(
		principal({ sub: "x", scope: "a", rights: ["r"] }, { scopes: "rights" }).scopes,
		["r"],
	);
	assert.deepEqual(principal({ sub: "x", scope: 7 }).scopes, []);
	assert.deepEqual(principal({ sub: "x" }).scopes, []);
	const many = Array.from({ length: 1_000 }, (_, index) => `s${index}`);
	assert.equal(principal({ sub: "x", scp: many }).scopes?.length, 200);
});

test("the client is named by whichever claim the issuer has for it", () => {
	assert.equal(principal({ sub: "x", azp: "a" }).client, "a");
	assert.equal(principal({ sub: "x", client_id: "c", azp: "a" }).client, "c");
	assert.equal(principal({ sub: "x", app: "m" }, { client: "app" }).client, "m");
	assert.equal(principal({ sub: "x" }).client, undefined);
});

test("whatever a subject is, it is a part of an id, and no two are one person", () => {
	const part = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/;
	const subjects = fc.oneof(
		fc.string({ minLength: 1 }),
		fc.stringMatching(/^(sub-)?[a-f0-9]{1,40}$/),
		fc.constantFrom("auth0|1", "a/b", "../x", "sub-", "ä"),
	);
	fc.assert(
		fc.property(subjects, subjects, (a, b) => {
			assert.match(partOf(a), part);
			assert.equal(partOf(a) === partOf(b), a === b);
			assert.notEqual(partOf(partOf(a)), a === partOf(a) ? undefined : partOf(a));
		}),
	);
});
