import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { box_key_bytes, SecretBox } from "./box.ts";

const random = new SeededRandom(7);
const box = new SecretBox(random.bytes(box_key_bytes), random);
const other = new SecretBox(random.bytes(box_key_bytes), random);

test("what was sealed opens again, about the same thing only", () => {
	fc.assert(
		fc.property(fc.string({ unit: "binary" }), fc.string(), (text, about) => {
			const sealed = box.seal(text, about);
			assert.equal(box.open(sealed, about), Buffer.from(text).toString());
			assert.equal(box.open(sealed, `${about}!`), undefined);
		}),
	);
});

test("another key opens nothing", () => {
	assert.equal(other.open(box.seal("secret", "a"), "a"), undefined);
});

test("a sealed text shows nothing, and is never the same twice", () => {
	const [one, two] = [box.seal("secret value", "a"), box.seal("secret value", "a")];
	assert.notEqual(one, two);
	assert.doesNotMatch(Buffer.from(one.slice(5), "base64url").toString("latin1"), /secret/);
});

test("an altered text does not open", () => {
	const sealed = box.seal("secret value", "a");
	fc.assert(
		fc.property(fc.nat(sealed.length - 1), fc.constantFrom("A", "B", "-"), (at, letter) => {
			fc.pre(sealed[at] !== letter);
			const altered = sealed.slice(0, at) + letter + sealed.slice(at + 1);
			const opened = box.open(altered, "a");
			// The last letter of base64url may carry bits that mean nothing.
			if (at < sealed.length - 1) assert.equal(opened, undefined);
		}),
	);
});

test("what was never sealed does not open", () => {
	fc.assert(fc.property(fc.string(), (text) => assert.equal(box.open(text, "a"), undefined)));
	for (const text of ["", "box1.", "box1.AAAA", "box2.AAAA"]) {
		assert.equal(box.open(text, "a"), undefined);
	}
});

test("a key of another length is a defect", () => {
	assert.throws(() => new SecretBox(Buffer.alloc(16), random));
});
