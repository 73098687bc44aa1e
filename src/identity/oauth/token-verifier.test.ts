import assert from "node:assert/strict";
import { createHmac, createPublicKey, hash } from "node:crypto";
import { type TestContext, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import {
	boundTo,
	proofOf,
	signingKey,
	startTokenIssuer,
	type TokenIssuer,
} from "../../../test/support/token-issuer.ts";
import type { IssuerPlan } from "../../config/plan-identity.ts";
import { accepted_algorithms } from "../../config/token-algorithms.ts";
import { systemRandom } from "../../lib/random.ts";
import { ProofCheck } from "./dpop.ts";
import { ProofNonces } from "./proof-nonces.ts";
import { ReplayCache } from "./replay-cache.ts";
import { type PresentedToken, TokenVerifier } from "./token-verifier.ts";

const resource = "https://mcp.example.com/time/mcp";
const base = "https://mcp.example.com";

async function scene(t: TestContext, changes: Partial<IssuerPlan> = {}) {
	const clock = new FakeClock(1_800_000_000_000);
	const issuer = await startTokenIssuer(() => clock.now());
	t.after(() => issuer.close());
	const verifier = verifierOf(clock, [planOf(issuer, changes)]);
	const identify = async (token: string, more: Partial<PresentedToken> = {}) => {
		const found = await verifier.identify(presented(token, more), clock.now());
		return found.ok ? found.value.id : found.problem.code;
	};
	return { clock, issuer, verifier, identify };
}

function planOf({ issuer }: TokenIssuer, changes: Partial<IssuerPlan> = {}): IssuerPlan {
	return {
		issuer,
		audiences: [],
		jwks: undefined,
		algorithms: accepted_algorithms,
		token_types: "at+jwt",
		dpop: "accepted",
		introspection: undefined,
		sign_in: undefined,
		claims: {
			tenant: { kind: "fixed", name: "acme" },
			user: "sub",
			client: undefined,
			roles: undefined,
			role_names: undefined,
			scopes: undefined,
		},
		...changes,
	};
}

function proofsOf(clock: FakeClock): ProofCheck {
	return new ProofCheck(clock, new ReplayCache(), new ProofNonces(clock, systemRandom));
}

function verifierOf(clock: FakeClock, issuers: readonly IssuerPlan[]): TokenVerifier {
	return new TokenVerifier({ clock, issuers, proofs: proofsOf(clock) });
}

function presented(token: string, more: Partial<PresentedToken> = {}): PresentedToken {
	return {
		token,
		digest: hash("sha256", token),
		scheme: "bearer",
		proofs: [],
		method: "POST",
		url: resource,
		resources: [resource, base],
		nonce_required: false,
		certificate_thumbprint: undefined,
		...more,
	};
}

test("a token for this address, or for the whole gateway, says who it is", async (t) => {
	const { issuer, identify } = await scene(t);
	for (const audience of [resource, `${resource}/`, base, `${base}/`, ["other", resource]]) {
		assert.equal(await identify(await issuer.token(audience)), "acme/alice");
	}
	assert.deepEqual(issuer.asked, ["/.well-known/oauth-authorization-server", "/jwks"]);
});

test("a token for another resource is refused here, and good there", async (t) => {
	const { issuer, identify } = await scene(t);
	const elsewhere = `${base}/other/mcp`;
	const token = await issuer.token(elsewhere);
	assert.equal(await identify(token), "token_audience");
	assert.equal(await identify(token, { resources: [elsewhere] }), "acme/alice");
	for (const audience of ["https://evil.example.com", "", `${resource}x`, `${base}.evil.com`]) {
		assert.equal(await identify(await issuer.token(audience)), "token_audience", audience);
	}
	const none = await issuer.token("", { claims: { aud: undefined } });
	assert.equal(await identify(none), "token_audience");
});

test("an audience that is configured is good everywhere", async (t) => {
	const { issuer, identify } = await scene(t, { audiences: ["api://moorage"] });
	assert.equal(await identify(await issuer.token("api://moorage")), "acme/alice");
	assert.equal(await identify(await issuer.token("api://other")), "token_audience");
});

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

test("what is no token is told apart", async (t) => {
	const { issuer, identify } = await scene(t);
	const good = await issuer.token(resource);
	const [head = "", body = "", signature = ""] = good.split(".");
	const flipped = signature.startsWith("A") ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
	const outcomes: [string, string][] = [
		["opaque", "token_unknown"],
		["a.b", "token_unknown"],
		["a.b.c", "token_malformed"],
		["..", "token_unknown"],
		[`${head}..${signature}`, "token_malformed"],
		[`${head}.${body}`, "token_unknown"],
		[`${head}.${body}.`, "token_signature"],
		[`${head}.${body}.${flipped}`, "token_signature"],
		[`${head}.${body}.${signature}.x`, "token_malformed"],
		[`${head}.${part([])}.${signature}`, "token_malformed"],
		[`${head}.${part({})}.${signature}`, "token_claims"],
		[`${head}.${part({ iss: 7 })}.${signature}`, "token_claims"],
		[`${head}.${part({ iss: issuer.issuer, sub: "bob" })}.${signature}`, "token_signature"],
		[
			`${part({ alg: "ES256", kid: "first", crit: ["x"], x: 1 })}.${body}.${signature}`,
			"token_algorithm",
		],
		[
			`${part({ alg: "ES256", kid: "first", b64: false, crit: ["b64"] })}.${body}.${signature}`,
			"token_signature",
		],
		[`${part({})}.${body}.${signature}`, "token_malformed"],
		[`${part("x")}.${body}.${signature}`, "token_malformed"],
		[good.replace(".", "\u0000."), "token_malformed"],
	];
	for (const [token, code] of outcomes) assert.equal(await identify(token), code, token);
});

test("no algorithm lets a token in that is not one of the issuer's signatures", async (t) => {
	const { issuer, identify } = await scene(t);
	const rsa = await signingKey("rsa", "RS256");
	issuer.keys.push(rsa);
	const body = part({ iss: issuer.issuer, aud: resource, sub: "eve", exp: 1_900_000_000 });
	for (const alg of ["none", "None", "NONE", ""]) {
		for (const signature of ["", "AA"]) {
			const token = `${part({ alg, typ: "at+jwt" })}.${body}.${signature}`;
			assert.match(await identify(token), /^token_(algorithm|malformed)$/, alg);
		}
	}
	// A public key taken for the secret of a MAC, in every form that it may be written in.
	const public_key = createPublicKey({
		key: rsa.jwk,
		format: "jwk",
	});
	const secrets = [
		public_key.export({ type: "spki", format: "pem" }),
		public_key.export({ type: "spki", format: "der" }),
		public_key.export({ type: "pkcs1", format: "pem" }),
		JSON.stringify(rsa.jwk),
	];
	for (const secret of secrets) {
		for (const kid of ["rsa", "first", undefined]) {
			const head = part({ alg: "HS256", typ: "at+jwt", kid });
			const mac = createHmac("sha256", secret).update(`${head}.${body}`).digest("base64url");
			assert.equal(await identify(`${head}.${body}.${mac}`), "token_algorithm");
		}
	}
	// Keys that the token brings along, or names an address of, are nobody's.
	const eve = await signingKey("first");
	for (const header of [
		{},
		{ jwk: eve.jwk },
		{ jku: "https://evil.example.com/jwks" },
		{ x5u: "https://evil.example.com/" },
	]) {
		const token = await issuer.token(resource, { key: eve, header });
		assert.equal(await identify(token), "token_signature");
	}
	assert.deepEqual(issuer.asked.filter((path) => path !== "/jwks").length, 1);
});

test("only the algorithms that are configured are accepted", async (t) => {
	const { issuer, identify } = await scene(t, { algorithms: ["RS256"] });
	const rsa = await signingKey("rsa", "RS256");
	issuer.keys.push(rsa);
	assert.equal(await identify(await issuer.token(resource)), "token_algorithm");
	assert.equal(await identify(await issuer.token(resource, { key: rsa })), "acme/alice");
});

test("a token of another issuer is refused, whoever signed it", async (t) => {
	const { issuer, identify } = await scene(t);
	for (const iss of [
		"https://evil.example.com",
		`${issuer.issuer}/`,
		issuer.issuer.toUpperCase(),
		"",
	]) {
		assert.equal(await identify(await issuer.token(resource, { claims: { iss } })), "token_issuer");
	}
});

test("each issuer speaks for its own people only", async (t) => {
	const { clock, issuer } = await scene(t);
	const other = await startTokenIssuer(() => clock.now());
	t.after(() => other.close());
	const tenant = { kind: "fixed", name: "other" } as const;
	const { claims } = planOf(other);
	const verifier = verifierOf(clock, [
		planOf(issuer),
		planOf(other, { claims: { ...claims, tenant } }),
	]);
	const idOf = async (token: string) => {
		const found = await verifier.identify(presented(token), clock.now());
		return found.ok ? found.value.id : found.problem.code;
	};
	assert.equal(await idOf(await issuer.token(resource)), "acme/alice");
	assert.equal(await idOf(await other.token(resource)), "other/alice");
	const crossed = await other.token(resource, { claims: { iss: issuer.issuer } });
	assert.equal(await idOf(crossed), "token_signature");
	const claimed = await other.token(resource, { claims: { tenant: "acme" } });
	assert.equal(await idOf(claimed), "other/alice");
});

test("times are held to, with ten seconds for clocks that differ", async (t) => {
	const { clock, issuer, identify } = await scene(t);
	const now_s = clock.now() / 1000;
	const outcomes: [Record<string, unknown>, string][] = [
		[{ exp: now_s - 60 }, "token_expired"],
		[{ exp: now_s - 11 }, "token_expired"],
		[{ exp: now_s - 5 }, "acme/alice"],
		[{ exp: undefined }, "token_claims"],
		[{ exp: "tomorrow" }, "token_claims"],
		[{ nbf: now_s + 11 }, "token_not_yet_valid"],
		[{ nbf: now_s + 5 }, "acme/alice"],
		[{ nbf: "now" }, "token_not_yet_valid"],
		[{ sub: undefined }, "token_claims"],
	];
	for (const [claims, code] of outcomes) {
		assert.equal(
			await identify(await issuer.token(resource, { claims })),
			code,
			JSON.stringify(claims),
		);
	}
});

test("what is marked as something else is no access token", async (t) => {
	const { issuer, identify } = await scene(t);
	const typed = (typ: unknown) => issuer.token(resource, { header: { typ } });
	for (const typ of ["at+jwt", "AT+JWT", "application/at+jwt"]) {
		assert.equal(await identify(await typed(typ)), "acme/alice", typ);
	}
	for (const typ of ["JWT", undefined, "dpop+jwt", "logout+jwt", "secevent+jwt", "at+jwt2"]) {
		assert.equal(await identify(await typed(typ)), "token_type", typ);
	}
});

test("an issuer that does not mark its tokens is believed where that is said, ID tokens apart", async (t) => {
	const { issuer, identify } = await scene(t, { token_types: "any" });
	for (const typ of ["at+jwt", "JWT", undefined]) {
		const token = await issuer.token(resource, { header: { typ } });
		assert.equal(await identify(token), "acme/alice", typ);
	}
	for (const typ of ["dpop+jwt", "logout+jwt"]) {
		assert.equal(await identify(await issuer.token(resource, { header: { typ } })), "token_type");
	}
	for (const claim of ["nonce", "at_hash"]) {
		const changes = { header: { typ: "JWT" }, claims: { [claim]: "x" } };
		assert.equal(await identify(await issuer.token(resource, changes)), "token_type");
	}
});

test("a token that was found good costs no look at the issuer, for a minute and never past its end", async (t) => {
	const { clock, issuer, verifier } = await scene(t);
	const token = await issuer.token(resource);
	const now = () => verifier.identify(presented(token), clock.now());
	assert.ok(now() instanceof Promise);
	assert.ok((await now()).ok);
	const again = now();
	assert.ok(!(again instanceof Promise) && again.ok);
	await clock.advance(59_999);
	assert.ok(!(now() instanceof Promise));
	await clock.advance(1);
	const anew = now();
	assert.ok(anew instanceof Promise);
	assert.ok((await anew).ok);
	const short = await issuer.token(resource, { claims: { exp: clock.now() / 1000 + 5 } });
	const shortly = () => verifier.identify(presented(short), clock.now());
	assert.ok((await shortly()).ok);
	assert.ok(!(shortly() instanceof Promise));
	await clock.advance(20_000);
	const late = await shortly();
	assert.equal(!late.ok && late.problem.code, "token_expired");
});

test("however many come with one new token, it is looked at once", async (t) => {
	const { clock, issuer, verifier } = await scene(t);
	const token = await issuer.token(resource);
	const all = Array.from({ length: 300 }, async () =>
		verifier.identify(presented(token), clock.now()),
	);
	assert.ok((await Promise.all(all)).every(({ ok }) => ok));
	assert.equal(issuer.asked.filter((path) => path === "/jwks").length, 1);
});

test("made-up tokens are looked at a bounded number at a time", async (t) => {
	const { clock, issuer, verifier } = await scene(t);
	const good = await issuer.token(resource);
	const all = Array.from({ length: 400 }, async (_, index) => {
		return verifier.identify(presented(`${good.slice(0, -4)}${index}`), clock.now());
	});
	const codes = (await Promise.all(all)).map((found) => (found.ok ? "in" : found.problem.code));
	assert.equal(codes.filter((code) => code === "issuer_unavailable").length, 400 - 256);
	assert.ok(!codes.includes("in"));
	assert.ok((await verifier.identify(presented(good), clock.now())).ok);
});

test("keys that are new are found, and those that are withdrawn end", async (t) => {
	const { clock, issuer, identify } = await scene(t);
	const old = await issuer.token(resource);
	assert.equal(await identify(old), "acme/alice");
	const next = await signingKey("second");
	issuer.keys.unshift(next);
	const token = await issuer.token(resource);
	// Not at once, so that made-up keys do not make us ask again and again.
	assert.equal(await identify(token), "token_key");
	await clock.advance(30_000);
	assert.equal(await identify(token), "acme/alice");
	issuer.keys.splice(0, 2, next);
	await clock.advance(10 * 60_000 + 1);
	assert.equal(await identify(old), "token_key");
	assert.equal(await identify(await issuer.token(resource)), "acme/alice");
	const jwks = issuer.asked.filter((path) => path === "/jwks").length;
	for (let index = 0; index < 50; index += 1) {
		const key = { ...next, kid: `made-up-${index}` };
		assert.equal(await identify(await issuer.token(resource, { key })), "token_key");
	}
	assert.ok(issuer.asked.filter((path) => path === "/jwks").length <= jwks + 1);
});

test("an issuer that cannot be reached lets nobody new in, and its keys are kept for an hour", async (t) => {
	const { clock, issuer, identify } = await scene(t);
	issuer.broken.set("/jwks", { status: 500, body: "{}" });
	assert.equal(await identify(await issuer.token(resource)), "issuer_unavailable");
	issuer.broken.clear();
	assert.equal(
		await identify(await issuer.token(resource)),
		"issuer_unavailable",
		"not asked at once",
	);
	await clock.advance(30_000);
	assert.equal(await identify(await issuer.token(resource)), "acme/alice");
	issuer.broken.set("/jwks", { status: 200, body: "<html>" });
	await clock.advance(30 * 60_000);
	assert.equal(await identify(await issuer.token(resource)), "acme/alice");
	await clock.advance(31 * 60_000);
	assert.equal(await identify(await issuer.token(resource)), "issuer_unavailable");
});

for (const [name, body] of [
	["no JSON", "<html>"],
	["no metadata", '{"a":1}'],
	[
		"metadata of another issuer",
		'{"issuer":"https://evil.example.com","jwks_uri":"https://evil.example.com/"}',
	],
	["metadata without keys", "NO_KEYS"],
	["keys elsewhere in the network", "METADATA_ADDRESS"],
	["endless metadata", `{"issuer":"${"a".repeat(400_000)}"}`],
] as const) {
	test(`an issuer that has ${name} is not believed`, async (t) => {
		const { issuer, verifier, clock } = await scene(t);
		const own = {
			NO_KEYS: { issuer: issuer.issuer },
			METADATA_ADDRESS: { issuer: issuer.issuer, jwks_uri: "https://169.254.169.254/jwks" },
		};
		const text = body in own ? JSON.stringify(own[body as keyof typeof own]) : body;
		for (const path of ["oauth-authorization-server", "openid-configuration"]) {
			issuer.broken.set(`/.well-known/${path}`, { status: 200, body: text });
		}
		const found = await verifier.identify(presented(await issuer.token(resource)), clock.now());
		assert.equal(!found.ok && found.problem.code, "issuer_unavailable");
		assert.ok(!issuer.asked.includes("/jwks"));
	});
}

test("keys that are damaged are no reason to let anyone in, or to fail", async (t) => {
	const { issuer, identify } = await scene(t);
	const [good] = issuer.keys;
	const token = await issuer.token(resource);
	const damaged = { kty: "EC", crv: "P-256", x: "AA", y: "AA", kid: "first", alg: "ES256" };
	issuer.broken.set("/jwks", { status: 200, body: JSON.stringify({ keys: [damaged] }) });
	assert.match(await identify(token), /^token_(key|malformed)$/);
	assert.ok(good !== undefined);
});

test("an opaque token is asked about, once a minute, with our own credentials", async (t) => {
	const introspection = { url: undefined, client_id: "moor age", client_secret: "s:é" };
	const { clock, issuer, identify } = await scene(t, { introspection });
	const claims = {
		sub: "alice",
		aud: resource,
		client_id: "c",
		scope: "a b",
		exp: clock.now() / 1000 + 90,
	};
	issuer.opaque.set("opaque", claims);
	assert.equal(await identify("opaque"), "acme/alice");
	assert.equal(await identify("opaque"), "acme/alice");
	assert.deepEqual(issuer.credentials, [
		`Basic ${Buffer.from("moor+age:s%3A%C3%A9").toString("base64")}`,
	]);
	issuer.opaque.delete("opaque");
	assert.equal(await identify("opaque"), "acme/alice", "kept for a minute");
	await clock.advance(60_000);
	assert.equal(await identify("opaque"), "token_inactive");
	const outcomes: [Record<string, unknown>, string][] = [
		[{ aud: undefined }, "token_audience"],
		[{ aud: "other" }, "token_audience"],
		[{ iss: "https://evil.example.com" }, "token_issuer"],
		[{ iss: issuer.issuer }, "acme/alice"],
		[{ exp: clock.now() / 1000 - 1 }, "token_expired"],
		[{ exp: undefined }, "acme/alice"],
		[{ nbf: clock.now() / 1000 + 60 }, "token_not_yet_valid"],
		[{ sub: undefined }, "token_claims"],
		[{ cnf: { jkt: "x" } }, "token_binding"],
	];
	for (const [index, [changes, code]] of outcomes.entries()) {
		issuer.opaque.set(`opaque-${index}`, { ...claims, ...changes });
		assert.equal(await identify(`opaque-${index}`), code, JSON.stringify(changes));
	}
	issuer.broken.set("/ask", { status: 500, body: "" });
	assert.equal(await identify("another"), "issuer_unavailable");
	issuer.broken.set("/ask", { status: 200, body: '{"active":"true"}' });
	assert.equal(await identify("one-more"), "issuer_unavailable");
});

test("a token that is bound to a key needs a proof with every request", async (t) => {
	const { clock, issuer, identify } = await scene(t);
	const key = await signingKey("client");
	const token = await issuer.token(resource, { claims: { cnf: await boundTo(key) } });
	const request = { method: "POST", url: resource, token };
	const proof = () => proofOf(key, request, {}, clock.now());
	const dpop = (...proofs: string[]) => identify(token, { scheme: "dpop", proofs });
	const first = await proof();
	assert.equal(await dpop(first), "acme/alice");
	assert.equal(await dpop(first), "dpop_proof_replayed");
	assert.equal(await dpop(await proof()), "acme/alice");
	assert.equal(await dpop(), "dpop_proof_missing");
	assert.equal(await dpop(await proof(), await proof()), "dpop_proof_missing");
	assert.equal(await dpop("x"), "dpop_proof_invalid");
	const stolen = await proofOf(await signingKey("thief"), request, {}, clock.now());
	assert.equal(await dpop(stolen), "dpop_proof_invalid");
	assert.equal(await identify(token), "token_binding", "not as a bearer token");
	assert.equal(await identify(token, { proofs: [await proof()] }), "token_binding");
	const unbound = await issuer.token(resource);
	const for_unbound = await proofOf(key, { ...request, token: unbound }, {}, clock.now());
	const outcome = await identify(unbound, { scheme: "dpop", proofs: [for_unbound] });
	assert.equal(outcome, "token_binding");
});

test("bindings to certificates are held to, and unknown ones are refused", async (t) => {
	const { issuer, identify } = await scene(t);
	const bound = await issuer.token(resource, { claims: { cnf: { "x5t#S256": "print" } } });
	assert.equal(await identify(bound), "token_binding");
	assert.equal(await identify(bound, { certificate_thumbprint: "other" }), "token_binding");
	assert.equal(await identify(bound, { certificate_thumbprint: "print" }), "acme/alice");
	for (const cnf of [{ kid: "x" }, "x", { jkt: 7 }, { jwk: {} }]) {
		assert.equal(
			await identify(await issuer.token(resource, { claims: { cnf } })),
			"token_binding",
		);
	}
});

test("where bound tokens are required, others are refused", async (t) => {
	const { issuer, identify } = await scene(t, { dpop: "required" });
	assert.equal(await identify(await issuer.token(resource)), "token_binding");
});

test("an issuer in this process is asked for its keys here", async (t) => {
	const { clock, issuer } = await scene(t);
	let is_on = false;
	let is_current = true;
	const local = {
		issuer: issuer.issuer,
		jwks: () => ({ keys: issuer.keys.map(({ jwk }) => ({ ...jwk, kty: jwk.kty ?? "" })) }),
		claims: planOf(issuer).claims,
		isCurrent: () => is_current,
	};
	const verifier = new TokenVerifier({
		clock,
		issuers: [],
		proofs: proofsOf(clock),
		local: () => (is_on ? local : undefined),
	});
	assert.equal(verifier.has_issuers, false);
	is_on = true;
	assert.equal(verifier.has_issuers, true);
	const idOf = async (token: string) => {
		const found = await verifier.identify(presented(token), clock.now());
		return found.ok ? found.value.id : found.problem.code;
	};
	assert.equal(await idOf(await issuer.token(resource)), "acme/alice");
	issuer.keys.unshift(await signingKey("second"));
	const token = await issuer.token(resource);
	assert.equal(await idOf(token), "acme/alice");
	is_current = false;
	assert.equal(await idOf(token), "token_inactive", "though it was found good a moment ago");
	issuer.keys.pop();
	assert.deepEqual(issuer.asked, []);
});
