import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { redacted, SecretRedactor } from "../secrets/redactor.ts";
import { depth_max, members_max, redactFields, redactText, text_chars_max } from "./log-redact.ts";

const redactor = new SecretRedactor();
redactor.add("known-s3cret");

describe("log fields", () => {
	it("have secrets masked at the first, second and third level, in lists too", () => {
		const fields = {
			token: "s3cret",
			one: { password: "s3cret", two: { cookie: ["s3cret"], kept: 1 } },
			list: [{ secret: { any: "s3cret" } }],
			map: new Map([["authorization", "s3cret"]]),
		};
		const safe = redactFields(redactor, fields);
		assert.deepEqual(safe, {
			token: redacted,
			one: { password: redacted, two: { cookie: redacted, kept: 1 } },
			list: [{ secret: redacted }],
			map: { authorization: redacted },
		});
		assert.equal(fields.token, "s3cret");
	});

	it("keep what says only that a secret is there or not", () => {
		const fields = { token: undefined, secret: null, password: "", cookie: true };
		assert.deepEqual(redactFields(redactor, fields), fields);
	});

	it("never write what is nested deeper than they are looked at", () => {
		const safe = redactFields(redactor, { a: { b: { c: { d: { e: "s3cret" } } } } });
		assert.doesNotMatch(JSON.stringify(safe), /s3cret/);
		const cyclic: Record<string, unknown> = { name: "loop" };
		cyclic["self"] = cyclic;
		assert.ok(JSON.stringify(redactFields(redactor, cyclic)).length < 1000);
	});

	it("describe errors with type, message, code, stack and cause", () => {
		const cause = new Error("the cause");
		const error = Object.assign(new TypeError("bad", { cause }), { code: "E_BAD" });
		const { err } = redactFields(redactor, { err: error }) as { err: Record<string, unknown> };
		assert.equal(err["type"], "TypeError");
		assert.equal(err["message"], "bad");
		assert.equal(err["code"], "E_BAD");
		assert.match(String(err["stack"]), /log-redact\.test/);
		assert.equal((err["cause"] as Record<string, unknown>)["message"], "the cause");
	});

	it("describe what JSON has no form for", () => {
		const safe = redactFields(redactor, {
			bytes: Buffer.from("abc"),
			big: 2n ** 70n,
			date: new Date(0),
			bad_date: new Date(Number.NaN),
			url: new URL("https://user:hunter22@example.com/x"),
			set: new Set([1, 2]),
			fn: () => 1,
			symbol: Symbol("x"),
			nothing: undefined,
		});
		assert.deepEqual(safe, {
			bytes: "[3 bytes]",
			big: "1180591620717411303424",
			date: "1970-01-01T00:00:00.000Z",
			bad_date: null,
			url: `https://user:${redacted}@example.com/x`,
			set: [1, 2],
			fn: undefined,
			symbol: undefined,
			nothing: undefined,
		});
	});

	it("do not replace a line's own members", () => {
		assert.deepEqual(redactFields(redactor, { level: 1, time: 2, message: 3 }), {
			level_: 1,
			time_: 2,
			message_: 3,
		});
	});

	it("hold no known value, whatever its key", () => {
		const safe = redactFields(redactor, { note: "it is known-s3cret", list: ["known-s3cret"] });
		assert.deepEqual(safe, { note: `it is ${redacted}`, list: [redacted] });
	});

	it("survive a getter that throws and a key that is a prototype's", () => {
		const bad = {
			get x(): string {
				throw new Error("no");
			},
		};
		assert.deepEqual(redactFields(redactor, { bad }), { bad: { unreadable: true } });
		const safe = redactFields(
			redactor,
			JSON.parse('{"__proto__":{"polluted":1},"constructor":2}') as object,
		);
		assert.equal(JSON.stringify(safe), '{"__proto__":{"polluted":1},"constructor":2}');
		assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
	});

	it("are cut to a bounded size, whatever they hold", () => {
		const wide = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`k${n}`, n]));
		assert.equal(Object.keys(redactFields(redactor, wide)).length, members_max);
		const { text } = redactFields(redactor, { text: "x".repeat(100_000) });
		assert.equal(String(text).length, text_chars_max + 1);
		const { list } = redactFields(redactor, { list: Array.from({ length: 500 }, () => 1) });
		assert.equal((list as unknown[]).length, members_max);
	});

	it("can always be written as JSON, and never hold a masked value", () => {
		const property = fc.property(
			fc.dictionary(fc.string(), fc.anything({ withBigInt: true, withDate: true, maxDepth: 6 })),
			fc.constantFrom("token", "X-Api-Key", "userPassword"),
			fc.integer({ min: 0, max: depth_max - 1 }),
			(fields, key, depth) => {
				let nested: object = { ...fields, [key]: "the-s3cret-value" };
				for (let level = 0; level < depth; level += 1) nested = { nested };
				const text = JSON.stringify(redactFields(redactor, nested));
				assert.doesNotMatch(text, /the-s3cret-value/);
			},
		);
		fc.assert(property, { numRuns: 200 });
	});
});

describe("log texts", () => {
	it("have credentials in URLs and bearer tokens masked", () => {
		assert.equal(
			redactText(redactor, "GET https://bob:hunter22@example.com:80/a failed"),
			`GET https://bob:${redacted}@example.com:80/a failed`,
		);
		assert.equal(
			redactText(redactor, "sent Authorization: Bearer abcdefghijklmnop.qrs"),
			`sent Authorization: Bearer ${redacted}`,
		);
	});

	it("are otherwise kept", () => {
		for (const text of ["bearer of news", "http://example.com:80/a@b", "50% of %s", "ü\n"]) {
			assert.equal(redactText(redactor, text), text);
		}
	});
});
