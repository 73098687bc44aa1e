import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { redacted, redactedHead, SecretRedactor, tokens_max, values_max } from "./redactor.ts";

function knowing(...values: string[]): SecretRedactor {
	const redactor = new SecretRedactor();
	for (const value of values) redactor.add(value);
	return redactor;
}

/** Every way in which a program may write a value. */
const encodings: Readonly<Record<string, (value: string) => string>> = {
	"as it is": (value) => value,
	"within JSON": (value) => JSON.stringify({ value }),
	"within JSON within JSON": (value) => JSON.stringify(JSON.stringify({ value })),
	"with / escaped in JSON": (value) => JSON.stringify(value).replaceAll("/", "\\/"),
	"as ASCII in JSON": (value) =>
		JSON.stringify(value).replace(
			/[\u007f-\uffff]/g,
			(unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
		),
	"in JSON of Go": (value) => escaped(value, "<>&"),
	"in JSON of Gson": (value) => escaped(value, "<>&'="),
	"in JSON of PHP": (value) => escaped(value, "<>&'\"").replace(/u00../g, upper),
	"in JSON of .NET": (value) =>
		escaped(value, "<>&'\"+`")
			.replace(/[\u007f-\uffff]/g, codeOf)
			.replace(/\\(u[\da-f]{4}|.)/g, upper),
	"in JSON of Go within JSON": (value) => JSON.stringify(escaped(value, "<>&")).slice(1, -1),
	"in an address": (value) => `https://example.com/?q=${encodeURIComponent(value)}&r=1`,
	"in an address, in lower case": (value) =>
		encodeURIComponent(value).replace(/%../g, (code) => code.toLowerCase()),
	"in a form": (value) => new URLSearchParams({ a: value }).toString(),
	"in an address that a browser made": (value) =>
		encodeURI(`https://example.com/?q=${value}`).slice(23),
	"as base64": (value) => Buffer.from(value).toString("base64"),
	"as base64url": (value) => Buffer.from(value).toString("base64url"),
	"as base64 behind one byte": (value) => Buffer.from(`:${value}`).toString("base64"),
	"as base64 behind two bytes": (value) => Buffer.from(`a:${value}:b`).toString("base64"),
	"as base64url behind a name": (value) => Buffer.from(`user:${value}`).toString("base64url"),
	"in hex": (value) => Buffer.from(value).toString("hex"),
	"in capital hex": (value) => Buffer.from(value).toString("hex").toUpperCase(),
};

function codeOf(sign: string): string {
	return `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function upper(code: string): string {
	return /u[\da-f]{4}/.test(code) ? code.replace(/[\da-f]{4}/, (one) => one.toUpperCase()) : code;
}

/** The inside of a JSON text in which all of `signs` are written as codes. */
function escaped(value: string, signs: string): string {
	const written = Array.from(value).map((sign) =>
		signs.includes(sign) ? codeOf(sign) : JSON.stringify(sign).slice(1, -1),
	);
	return written.join("");
}

/** Values like those of services, and with everything that has a form of its own somewhere. */
const secrets = fc.oneof(
	fc.string({ minLength: 12, maxLength: 60 }),
	fc.string({ unit: "grapheme", minLength: 12, maxLength: 30 }),
	fc.base64String({ minLength: 12, maxLength: 400 }),
	fc.stringMatching(/^[A-Za-z0-9_/+ "'%&=-]{12,40}$/),
);

/** Whether more than the ends of a value, whose bits others share, is to be seen. */
function shows(text: string, encoded: string): boolean {
	const core = encoded.length > 16 ? encoded.slice(4, -4) : encoded;
	return text.includes(core);
}

describe("a known value", () => {
	for (const [how, encode] of Object.entries(encodings)) {
		it(`is redacted ${how}, in texts, bytes and chunks of any size`, () => {
			const property = fc.property(
				secrets,
				fc.string(),
				fc.array(fc.nat(60), { minLength: 1, maxLength: 20 }),
				(value, around, sizes) => {
					fc.pre(value.trim().length >= 12);
					const redactor = knowing(value);
					const encoded = encode(value);
					const text = `${around} ${encoded} ${around}`;
					assert.ok(!shows(redactor.text(text), encoded), "text");
					const bytes = Buffer.from(text);
					assert.ok(!shows(redactor.bytes(bytes).toString(), encoded), "bytes");
					assert.ok(!shows(inChunks(redactor, bytes, sizes).toString(), encoded), "chunks");
				},
			);
			fc.assert(property, { numRuns: 150 });
		});
	}

	it("is redacted from names and values of JSON, at any depth", () => {
		const redactor = knowing("correct-horse-battery");
		const safe = redactor.json({
			list: [{ "x correct-horse-battery": "is correct-horse-battery!" }],
			n: 5,
		});
		assert.deepEqual(safe, { list: [{ [`x ${redacted}`]: `is ${redacted}!` }], n: 5 });
	});

	it("is redacted as a number", () => {
		const redactor = knowing("83920174");
		assert.deepEqual(redactor.json({ pin: 83920174, big: 83920174n, n: 8392 }), {
			pin: redacted,
			big: redacted,
			n: 8392,
		});
	});

	it("is redacted line by line where it has several, its boundaries excepted", () => {
		const lines = ["MIIEvQIBADANBgkqhkiG9w0BAQ", "EFAASCBKcwggSjAgEAAoIBAQC7"];
		const key = ["-----BEGIN PRIVATE KEY-----", ...lines, "-----END PRIVATE KEY-----", ""];
		const redactor = knowing(key.join("\n"));
		for (const line of lines) assert.equal(redactor.text(`  ${line}`), `  ${redacted}`);
		assert.equal(redactor.text("-----END PRIVATE KEY-----"), "-----END PRIVATE KEY-----");
		assert.equal(redactor.text(key.join("\r\n")).includes(lines[1] ?? ""), false);
	});

	for (const [how, columns, encode] of [
		["base64 with lines of 64", 64, (value: string) => btoa(value)],
		["base64 with lines of 76", 76, (value: string) => btoa(`${value}\n`)],
		["hex with lines of 60", 60, (value: string) => Buffer.from(value).toString("hex")],
	] as const) {
		it(`is redacted as ${how}, together and line by line`, () => {
			const random = new SeededRandom(3);
			for (let bytes = 60; bytes < 400; bytes += 1) {
				const value = `sk-${random.bytes(bytes).toString("base64url")}`;
				const redactor = knowing(value);
				const lines = encode(value).match(new RegExp(`.{1,${columns}}`, "g")) ?? [];
				assert.ok(lines.length > 1);
				const safe = redactor.text(lines.join("\n")).split("\n");
				for (const [index, line] of lines.entries()) {
					const wanted =
						index < lines.length - 1 ? /^\[redacted\]$/ : /^(\[redacted\].{0,4}|.{1,11})$/;
					assert.match(redactor.text(line), wanted);
					assert.match(safe[index] ?? "", wanted);
				}
			}
		});
	}

	it("is redacted in UTF-16, and in base64 of that", () => {
		const property = fc.property(secrets, fc.string(), (value, around) => {
			fc.pre(value.trim().length >= 12);
			const redactor = knowing(value);
			const bytes = Buffer.from(`${around}${value}${around}`, "utf16le");
			const core = Buffer.from(value.trim().toWellFormed(), "utf16le");
			assert.ok(!redactor.bytes(bytes).includes(core), "bytes");
			const encoded = redactor.text(bytes.toString("base64"));
			assert.ok(!Buffer.from(encoded, "base64").includes(core), "base64");
		});
		fc.assert(property);
	});

	it("is redacted where only the secret part of it is shown", () => {
		for (const [value, part] of [
			["Bearer q8xkw0dj4ms", "q8xkw0dj4ms"],
			[`Basic ${Buffer.from("bob:hunter22").toString("base64")}`, "hunter22"],
			["postgres://bob:hunter%2022@db/x", "hunter%2022"],
			["postgres://bob:hunter%2022@db/x", "hunter 22"],
			['{"client_secret":"q8xkw0dj4ms","id":"someone"}', "q8xkw0dj4ms"],
			[" q8xkw0dj4ms\n", "q8xkw0dj4ms"],
		] as const) {
			assert.equal(knowing(value).text(`it is ${part}.`), `it is ${redacted}.`);
		}
		assert.equal(knowing('{"client_secret":"q8xkw0dj4ms","id":"one"}').text("one"), "one");
	});

	it("of four to seven bytes is redacted, and a shorter one is refused", () => {
		const redactor = new SecretRedactor();
		assert.equal(redactor.add("p1n8"), true);
		assert.equal(redactor.add("abc"), false);
		assert.equal(redactor.text("p1n8 abc cDFuOA=="), `${redacted} abc ${redacted}A==`);
	});

	it("that overlaps another leaves nothing of either", () => {
		const redactor = knowing("abcdefgh1234", "1234ijklmnop", "fgh1");
		assert.equal(redactor.text("x abcdefgh1234ijklmnop y fgh1"), `x ${redacted} y ${redacted}`);
	});

	it("is redacted before a text is cut, so that no part of it is left at the end", () => {
		const value = "0123456789".repeat(20);
		const redactor = knowing(value);
		for (let before = 0; before < 120; before += 1) {
			const head = redactedHead(redactor, "x".repeat(before) + value.repeat(9), 100);
			assert.ok(head.length <= 100);
			assert.doesNotMatch(head, /\d/);
		}
		assert.equal(redactedHead(redactor, "y".repeat(5000), 100), "y".repeat(100));
		assert.equal(redactedHead(redactor, "y".repeat(101), 100), "y".repeat(100));
	});

	it("stays known until too many others came", () => {
		const redactor = knowing("the-first-one");
		for (let index = 0; index < 500; index += 1) redactor.add(`value-number-${index}`);
		assert.equal(redactor.text("the-first-one value-number-499"), `${redacted} ${redacted}`);
		assert.ok(values_max >= 10_000);
	});
});

describe("a stream", () => {
	it("hands on all that is no secret, byte for byte", () => {
		const redactor = knowing("correct-horse-battery", "horse-shoe-magnet");
		const property = fc.property(
			fc.uint8Array({ maxLength: 300 }),
			fc.array(fc.nat(40), { minLength: 1 }),
			(bytes, sizes) => {
				const whole = redactor.bytes(Buffer.from(bytes));
				assert.deepEqual(inChunks(redactor, Buffer.from(bytes), sizes), whole);
			},
		);
		fc.assert(property);
	});

	it("says the same as one text, wherever values that overlap are split", () => {
		const redactor = knowing("abcabc", "abcabcabcabc", "cabcab!x");
		const property = fc.property(
			fc.stringMatching(/^[abc!x ]{0,60}$/),
			fc.array(fc.nat(5), { minLength: 1 }),
			(text, sizes) => {
				const bytes = Buffer.from(text);
				assert.equal(inChunks(redactor, bytes, sizes).toString(), redactor.text(text));
			},
		);
		fc.assert(property, { numRuns: 500 });
	});

	it("holds back no more than what may be the beginning of a secret", () => {
		const stream = knowing("correct horse").stream();
		assert.equal(stream.push(Buffer.from("a line\nand correct h")).toString(), "a line\nand ");
		assert.equal(stream.push(Buffer.from("ens\n")).toString(), "correct hens\n");
		assert.equal(stream.end().length, 0);
	});

	it("finds a token that nobody knows, split anywhere", () => {
		const text = `it said ghp_${"a1B2".repeat(10)} and went`;
		for (let at = 0; at < text.length; at += 1) {
			const stream = new SecretRedactor().stream();
			const parts = [text.slice(0, at), text.slice(at)].map((one) => Buffer.from(one));
			const safe = [...parts.map((part) => stream.push(part)), stream.end()];
			assert.equal(Buffer.concat(safe).toString(), `it said ${redacted} and went`);
		}
	});

	it("is not held up by values that overlap for ever", () => {
		const redactor = knowing("aaaaaaaa");
		const stream = redactor.stream();
		let passed = 0;
		for (let count = 0; count < 100; count += 1) {
			passed += stream.push(Buffer.alloc(1024, "a")).length;
		}
		const rest = stream.end().toString();
		assert.ok(passed > 0);
		assert.doesNotMatch(rest, /aaa/);
	});
});

describe("a member named like a secret", () => {
	it("is redacted whatever it holds", () => {
		const safe = new SecretRedactor().json({
			password: "x",
			token: { any: "thing" },
			authorization: ["a"],
			"X-Api-Key": 12,
			kept: "x",
		});
		assert.deepEqual(safe, {
			password: redacted,
			token: redacted,
			authorization: redacted,
			"X-Api-Key": redacted,
			kept: "x",
		});
	});

	it("is kept where it says only whether there is one, or how many", () => {
		const value = { token: null, secret: "", cookie: true, max_tokens: 4096 };
		assert.deepEqual(new SecretRedactor().json(value), value);
	});
});

test("what is nested without end is cut", () => {
	const loop: Record<string, unknown> = {};
	loop["self"] = loop;
	assert.ok(JSON.stringify(new SecretRedactor().json(loop)).length < 2000);
});

test("texts without secrets come back as they are", () => {
	const redactor = knowing("correct-horse-battery");
	const text = "an ordinary line of an ordinary log";
	assert.equal(redactor.text(text), text);
	const bytes = Buffer.from(text);
	assert.equal(redactor.bytes(bytes), bytes);
});

test("a value that is forgotten is shown again, and the others are not", () => {
	const redactor = knowing("first of two", "second of two");
	redactor.forget("first of two");
	redactor.forget("never known");
	assert.equal(redactor.text("first of two, second of two"), `first of two, ${redacted}`);
});

test("tokens never push values out, and what is used least recently goes first, which is told", () => {
	const evicted: string[] = [];
	const redactor = new SecretRedactor((kind, count) => void evicted.push(`${kind} ${count}`));
	redactor.add("a value of the vault");
	redactor.tokens.add("used all the time");
	redactor.tokens.add("used at first only");
	for (let n = 0; n < tokens_max - 2; n += 1) redactor.tokens.add(`token-${n}`);
	redactor.tokens.add("used all the time");
	assert.deepEqual(evicted, []);
	redactor.tokens.add("one too many");
	assert.deepEqual(evicted, ["token 1"]);
	assert.equal(
		redactor.text("a value of the vault, used all the time, one too many, used at first only"),
		`${redacted}, ${redacted}, ${redacted}, used at first only`,
	);
});

test("a token that is a value of the vault as well stays redacted when it is renewed", () => {
	for (const order of [
		["add", "token"],
		["token", "add"],
	]) {
		const redactor = new SecretRedactor();
		for (const how of order) {
			if (how === "add") redactor.add("both of them");
			else redactor.tokens.add("both of them");
		}
		redactor.tokens.forget("both of them");
		assert.equal(redactor.text("both of them"), redacted);
		redactor.forget("both of them");
		assert.equal(redactor.text("both of them"), "both of them");
	}
});

test("what two values have in common is redacted until both are forgotten", () => {
	const redactor = knowing("Bearer q8xkw0dj4ms", "q8xkw0dj4ms");
	redactor.forget("q8xkw0dj4ms");
	assert.equal(redactor.text("q8xkw0dj4ms"), redacted);
	redactor.forget("Bearer q8xkw0dj4ms");
	assert.equal(redactor.text("q8xkw0dj4ms"), "q8xkw0dj4ms");
});

test("after many tokens have come and gone, all that are known are found and no others", () => {
	const random = new SeededRandom(12);
	const redactor = new SecretRedactor();
	const known = new Set<string>();
	for (let round = 0; round < 6_000; round += 1) {
		const token = `at-${random.bytes(12 + (round % 9)).toString("base64url")}`;
		redactor.tokens.add(token);
		known.add(token);
		if (known.size <= 500) continue;
		const [oldest = ""] = known;
		redactor.tokens.forget(oldest);
		known.delete(oldest);
		assert.equal(redactor.text(oldest), oldest);
	}
	const text = [...known].join(" ");
	assert.equal(redactor.text(text), [...known].map(() => redacted).join(" "));
	const halves = [Buffer.from(text.slice(0, 4_321)), Buffer.from(text.slice(4_321))];
	const stream = redactor.stream();
	const safe = Buffer.concat([...halves.map((half) => stream.push(half)), stream.end()]);
	assert.equal(safe.toString(), redactor.text(text));
});

test("a thousand secrets are all found in one text, none in another", () => {
	const random = new SeededRandom(11);
	const values = Array.from({ length: 1000 }, () => `sk-one-${random.bytes(24).toString("hex")}`);
	const redactor = knowing(...values);
	const safe = redactor.text(values.join(", "));
	assert.equal(safe, values.map(() => redacted).join(", "));
	const others = random.bytes(8000).toString("hex");
	assert.equal(redactor.text(others), others);
});

function inChunks(redactor: SecretRedactor, bytes: Buffer, sizes: readonly number[]): Buffer {
	const stream = redactor.stream();
	const parts: Buffer[] = [];
	let at = 0;
	for (let index = 0; at < bytes.length; index += 1) {
		const size = Math.max(1, sizes[index % sizes.length] ?? 1);
		parts.push(stream.push(Buffer.from(bytes.subarray(at, at + size))));
		at += size;
	}
	parts.push(stream.end());
	return Buffer.concat(parts);
}
