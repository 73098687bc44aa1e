import assert from "node:assert/strict";
import { test } from "node:test";
import { exportJWK } from "jose";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import {
	boundTo,
	proofOf,
	signingKey,
	type TokenChanges,
} from "../../../test/support/token-issuer.ts";
import { systemRandom } from "../../lib/random.ts";
import { ProofCheck } from "./dpop.ts";
import { ProofNonces } from "./proof-nonces.ts";
import { ReplayCache } from "./replay-cache.ts";

const key = await signingKey("client");
const other_key = await signingKey("other");
const { jkt: thumbprint } = await boundTo(key);
const url = "https://mcp.example.com/time/mcp";
const request = { method: "POST", url, token: "token" };
const wanted = { ...request, thumbprint, nonce_required: false };
const start_ms = 1_800_000_000_000;

function scene() {
	const clock = new FakeClock(start_ms);
	const nonces = new ProofNonces(clock, systemRandom);
	return { clock, nonces, check: new ProofCheck(clock, new ReplayCache(), nonces) };
}

test("a proof for this request is good once", async () => {
	const { check } = scene();
	const proof = await proofOf(key, request, {}, start_ms);
	assert.equal(await check.check(proof, wanted), "good");
	assert.equal(await check.check(proof, wanted), "replayed");
	const next = await proofOf(key, request, {}, start_ms);
	assert.equal(await check.check(next, wanted), "good");
});

test("where a nonce is required, a proof without one of the last minutes is told from a wrong one", async () => {
	const { clock, check, nonces } = scene();
	const checked = async (nonce: unknown, claims: Record<string, unknown> = {}) => {
		const proof = await proofOf(key, request, { claims: { nonce, ...claims } }, clock.now());
		return check.check(proof, { ...wanted, nonce_required: true });
	};
	const first = nonces.current;
	assert.equal(await checked(undefined), "nonce");
	assert.equal(await checked("x"), "nonce");
	assert.equal(await checked(first), "good");
	assert.equal(await checked(first), "good", "of many proofs");
	await clock.advance(120_000);
	assert.equal(await checked(first), "good");
	await clock.advance(60_000);
	assert.equal(await checked(first), "nonce");
	assert.equal(await checked(nonces.current), "good");
	// What is wrong beside is said first: another nonce would be of no use.
	assert.deepEqual(await checked(undefined, { htm: "GET" }), { invalid: "htm is another method" });
	// One that was refused for its nonce was not used.
	const jti = "the same";
	assert.equal(await checked(undefined, { jti }), "nonce");
	assert.equal(await checked(nonces.current, { jti }), "good");
	assert.equal(await checked(nonces.current, { jti }), "replayed");
});

test("the address is compared without query and fragment, as addresses are", async () => {
	for (const htu of [`${url}?a=b`, `${url}#x`, "HTTPS://MCP.example.com:443/time/mcp"]) {
		const { check } = scene();
		const proof = await proofOf(key, request, { claims: { htu } }, start_ms);
		assert.equal(await check.check(proof, wanted), "good", htu);
	}
});

const private_jwk = await exportJWK(key.private_key);
const wrong: [string, TokenChanges, RegExp][] = [
	["another method", { claims: { htm: "GET" } }, /htm/],
	["no method", { claims: { htm: undefined } }, /htm/],
	["another address", { claims: { htu: "https://mcp.example.com/other/mcp" } }, /htu/],
	["another host", { claims: { htu: "https://evil.example.com/time/mcp" } }, /htu/],
	["no address", { claims: { htu: 7 } }, /htu/],
	["an address that is none", { claims: { htu: "/time/mcp" } }, /htu/],
	["another token", { claims: { ath: "x" } }, /ath/],
	["no token", { claims: { ath: undefined } }, /ath/],
	["no id", { claims: { jti: undefined } }, /jti/],
	["an empty id", { claims: { jti: "" } }, /jti/],
	["an id without end", { claims: { jti: "a".repeat(300) } }, /jti/],
	["no time", { claims: { iat: undefined } }, /iat/],
	["a time that is none", { claims: { iat: "now" } }, /iat/],
	["a time that is past", { claims: { iat: start_ms / 1000 - 61 } }, /too long ago|before/],
	["a time to come", { claims: { iat: start_ms / 1000 + 6 } }, /future/],
	["an end that is past", { claims: { exp: start_ms / 1000 - 60 } }, /exp/],
	["another type", { header: { typ: "jwt" } }, /typ/],
	["no type", { header: { typ: undefined } }, /typ/],
	["no key", { header: { jwk: undefined } }, /jwk|JWK/],
	["a private key", { header: { jwk: private_jwk } }, /public/],
	["a key that is none", { header: { jwk: { kty: "EC" } } }, /./],
	["another's key", { header: { jwk: other_key.jwk } }, /signature/],
];

for (const [name, changes, message] of wrong) {
	test(`a proof with ${name} is refused`, async () => {
		const { check } = scene();
		const proof = await proofOf(key, request, changes, start_ms);
		const verdict = await check.check(proof, wanted);
		assert.ok(typeof verdict === "object", name);
		assert.match(verdict.invalid, message);
	});
}

test("a proof of another key is refused, though it is a good one", async () => {
	const { check } = scene();
	const verdict = await check.check(await proofOf(other_key, request, {}, start_ms), wanted);
	assert.deepEqual(verdict, { invalid: "it is of another key" });
});

test("what is no proof at all is refused", async () => {
	const { check } = scene();
	const unsigned = `${Buffer.from('{"alg":"none","typ":"dpop+jwt"}').toString("base64url")}.e30.`;
	for (const text of ["", "a", "a.b.c", "..", unsigned, "a".repeat(5_000), "ä.ä.ä"]) {
		const verdict = await check.check(text, wanted);
		assert.ok(typeof verdict === "object", text);
	}
});

test("a proof from before the start is refused, since it may have been used", async () => {
	const { clock, check } = scene();
	const before = await proofOf(key, request, {}, start_ms - 2_000);
	const verdict = await check.check(before, wanted);
	assert.ok(typeof verdict === "object" && /start/.test(verdict.invalid));
	const late = await proofOf(key, request, {}, start_ms);
	await clock.advance(59_000);
	assert.equal(await check.check(late, wanted), "good");
	await clock.advance(2_000);
	const verdict_later = await check.check(late, wanted);
	assert.ok(typeof verdict_later === "object");
});
