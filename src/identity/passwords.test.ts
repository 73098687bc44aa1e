import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { Passwords, PasswordsBusy } from "./passwords.ts";

const passwords = new Passwords(new SeededRandom(1));

test("a password is known again by its hash, and no other is", async () => {
	const hash = await passwords.hash("correct horse");
	assert.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
	assert.equal(await passwords.verify("correct horse", hash), true);
	assert.equal(await passwords.verify("correct horsf", hash), false);
	assert.equal(await passwords.verify("", hash), false);
});

test("the same password has another hash each time", async () => {
	assert.notEqual(await passwords.hash("same"), await passwords.hash("same"));
});

test("a password is the same however its characters are composed", async () => {
	const hash = await passwords.hash("caf\u00e9");
	assert.equal(await passwords.verify("cafe\u0301", hash), true);
});

test("nobody's password is never right, and neither is one with a damaged hash", async () => {
	assert.equal(await passwords.verify("anything", undefined), false);
	for (const damaged of ["", "plain", "$argon2i$v=19$m=8,t=1,p=1$YWJjZGVmZ2g$YWJj", "$argon2id$"]) {
		assert.equal(await passwords.verify("anything", damaged), false, damaged);
	}
});

test("only so many are checked at once, the rest is told to come back", async () => {
	const hash = await passwords.hash("one");
	const asked = Array.from({ length: 30 }, () => passwords.verify("one", hash));
	const settled = await Promise.allSettled(asked);
	const busy = settled.filter(
		(one) => one.status === "rejected" && one.reason instanceof PasswordsBusy,
	);
	assert.equal(busy.length, 12);
	assert.equal(settled.filter((one) => one.status === "fulfilled" && one.value).length, 18);
	assert.equal(await passwords.verify("one", hash), true, "it goes on afterwards");
});
