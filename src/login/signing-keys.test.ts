import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createLocalJWKSet, decodeProtectedHeader, importJWK, jwtVerify, SignJWT } from "jose";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { openTestStore } from "../../test/support/test-store.ts";
import { systemClock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import { box_key_bytes, SecretBox } from "../secrets/box.ts";
import { SigningKeys, signing_algorithm } from "./signing-keys.ts";

const day_ms = 24 * 60 * 60 * 1000;

/** Keys in a database file, as each start of a gateway finds them. */
async function setUp(t: TestContext) {
	const path = join(await tempFolder(t), "store.db");
	const clock = new FakeClock(Date.UTC(2026, 0, 1));
	const start = async () => {
		const store = await openTestStore(systemClock, path);
		const box = new SecretBox(Buffer.alloc(box_key_bytes, 7), systemRandom);
		const { meta } = store.repositories;
		const keys = new SigningKeys({ meta, box, clock, random: systemRandom });
		const changed = await keys.refresh();
		return { keys, changed, meta, stop: () => store.database.close() };
	};
	return { clock, start };
}

/** A token of ten minutes, signed with the key that signs now. */
async function sign(keys: SigningKeys, clock: FakeClock): Promise<string> {
	const [key] = keys.keys;
	assert.ok(key !== undefined);
	const now_s = Math.floor(clock.now() / 1000);
	return new SignJWT({ sub: "ana" })
		.setProtectedHeader({ alg: signing_algorithm, kid: key.kid })
		.setExpirationTime(now_s + 600)
		.sign(await importJWK({ ...key }, signing_algorithm));
}

/** Checks a token as a resource server does that knows the published keys only. */
function check(token: string, keys: SigningKeys, clock: FakeClock) {
	const published = createLocalJWKSet({ keys: keys.publicKeys().keys.map((key) => ({ ...key })) });
	return jwtVerify(token, published, { currentDate: new Date(clock.now()) });
}

const kidsOf = (keys: SigningKeys) => keys.publicKeys().keys.map(({ kid }) => kid);

test("after a rotation old tokens hold until they expire and new ones have the new key, across restarts", async (t) => {
	const { clock, start } = await setUp(t);
	const first = await start();
	await clock.advance(30 * day_ms - 1000);
	assert.equal(await first.keys.refresh(), false);
	const old = await sign(first.keys, clock);
	await clock.advance(1000);
	assert.equal(await first.keys.refresh(), true);
	const fresh = await sign(first.keys, clock);
	const kids = kidsOf(first.keys);
	const kidOf = (token: string) => decodeProtectedHeader(token).kid;
	assert.deepEqual(kids, [kidOf(fresh), kidOf(old)]);
	await first.stop();

	const second = await start();
	t.after(() => second.stop());
	assert.deepEqual(kidsOf(second.keys), kids);
	assert.equal(kidOf(await sign(second.keys, clock)), kidOf(fresh));
	for (const token of [old, fresh]) await check(token, second.keys, clock);
	await clock.advance(599_500);
	await assert.rejects(check(old, second.keys, clock), { code: "ERR_JWT_EXPIRED" });
	await check(fresh, second.keys, clock);
});

test("a key is no longer published when every token of it is over", async (t) => {
	const { clock, start } = await setUp(t);
	const { keys, stop } = await start();
	t.after(stop);
	const [first] = kidsOf(keys);
	const cookie_key = keys.cookie_keys[0] ?? "";
	const old = await sign(keys, clock);
	await clock.advance(30 * day_ms);
	await keys.refresh();
	assert.equal(keys.cookie_keys[1], cookie_key);
	await clock.advance(30 * day_ms);
	await keys.refresh();
	assert.equal(kidsOf(keys).length, 2);
	assert.ok(!kidsOf(keys).includes(first ?? ""));
	assert.ok(!keys.cookie_keys.includes(cookie_key));
	await assert.rejects(check(old, keys, clock), { code: "ERR_JWKS_NO_MATCHING_KEY" });
});

test("neither the key set nor the database tells a private part", async (t) => {
	const { start } = await setUp(t);
	const { keys, meta, stop } = await start();
	t.after(stop);
	const [key] = keys.keys;
	assert.ok(key?.d !== undefined);
	for (const published of keys.publicKeys().keys) {
		assert.deepEqual(Object.keys(published).sort(), ["alg", "e", "kid", "kty", "n", "use"]);
	}
	assert.ok(!String(await meta.get("login_keys")).includes(key.d));
});
