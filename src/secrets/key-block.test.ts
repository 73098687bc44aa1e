import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { KeyLines } from "./key-block.ts";
import { redacted, SecretRedactor } from "./redactor.ts";

const body = [
	"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7",
	"VJTUt9Us8cKjMzEfYyjiWA4R",
	"QQ==",
];
/** In halves: what looks like a key is not let into a repository. */
const frame = (kind: string) =>
	[`-----BEGIN ${kind}-`, `-----END ${kind}-`].map((one) => `${one}----`);
const [first = "", last = ""] = frame("RSA PRIVATE KEY");
const lines = [first, ...body, last];

function shown(written: readonly string[]): string[] {
	const key = new KeyLines(redacted);
	const redactor = new SecretRedactor();
	return written.map((line) => redactor.text(key.next(line)));
}

test("a key that nobody knows is taken out line by line, and nothing behind it", () => {
	assert.deepEqual(shown(["before", ...lines, "after", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"]), [
		"before",
		...lines.map(() => redacted),
		"after",
		"MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
	]);
});

test("a key is taken out behind whatever a logger puts in front of each line", () => {
	const written = lines.map((line) => `2026-11-30T04:00:00Z info ${line}`);
	const text = shown([...written, "2026-11-30T04:00:01Z info ready"]).join("\n");
	for (const part of body) assert.equal(text.includes(part), false, text);
	assert.match(text, /info ready$/);
});

test("a key with headers is taken out, and one on a single line ends there", () => {
	const headers = ["Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-128-CBC,0123456789ABCDEF", ""];
	const whole = [first, ...headers, ...body, last].join("\n");
	const text = shown([first, ...headers, ...body, last, whole, "and on"]).join("\n");
	for (const part of [...body, "DEK-Info"]) assert.equal(text.includes(part), false, text);
	assert.match(text, /and on$/);
});

test("a key that never ends hides no more than what may be part of it", () => {
	const text = shown([first, ...body, "the server has started on port 3000", "more"]);
	assert.deepEqual(text.slice(-2), ["the server has started on port 3000", "more"]);
	const endless = shown([first, ...Array<string>(2_000).fill(body[0] ?? "")]);
	assert.equal(endless.at(-1), body[0]);
});

test("a public key and a certificate are no secrets", () => {
	const [begin = "", end = ""] = frame("CERTIFICATE");
	assert.deepEqual(shown([begin, ...body, end]), [begin, ...body, end]);
});

test("a key is found in a stream, however it is cut into chunks", () => {
	const headers = ["Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-256-CBC,0123456789ABCDEF", ""];
	const locked = [first, ...headers, ...body, last];
	const text = `before ${lines.join("\n")}\nafter ${locked.join("\r\n")} the-end`;
	fc.assert(
		fc.property(fc.array(fc.nat(text.length), { maxLength: 20 }), (cuts) => {
			const stream = new SecretRedactor().stream();
			const at = [0, ...cuts.toSorted((a, b) => a - b), text.length];
			const parts = at.slice(1).map((end, index) => Buffer.from(text.slice(at[index], end)));
			const out = Buffer.concat([...parts.map((part) => stream.push(part)), stream.end()]);
			assert.equal(out.toString(), `before ${redacted}\nafter ${redacted} the-end`);
		}),
	);
});

test("a dash of a key's headers ends nothing, where a chunk begins with it", () => {
	const headers = ["Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-256-CBC,0123456789ABCDEF", ""];
	const text = [first, ...headers, ...body, last].join("\n");
	for (const { index } of text.matchAll(/\b-\b/g)) {
		const stream = new SecretRedactor().stream();
		const parts = [text.slice(0, index), text.slice(index)].map((part) => Buffer.from(part));
		// One byte at a time up to there: nothing else is held back.
		const before = [...(parts[0] ?? [])].map((byte) => Buffer.from([byte]));
		const all = [...before, parts[1] ?? Buffer.alloc(0)].map((part) => stream.push(part));
		assert.equal(Buffer.concat([...all, stream.end()]).toString(), redacted);
	}
});

test("a stream that ends in the middle of a key shows nothing of it", () => {
	const stream = new SecretRedactor().stream();
	const written = Buffer.concat([stream.push(Buffer.from(`x ${first}\n${body[0]}`)), stream.end()]);
	assert.equal(written.toString(), `x ${redacted}`);
});
