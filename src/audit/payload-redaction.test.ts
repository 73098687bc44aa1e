import assert from "node:assert/strict";
import { test } from "node:test";
import { SecretRedactor, values_max } from "../secrets/redactor.ts";
import { forgotten_max, headOf, PayloadRedaction, SecretNews } from "./payload-redaction.ts";

const none = { values: [], tokens: [], forgotten: [], are_all: false };
const text = (bytes: Buffer) => bytes.toString("latin1");

test("a secret that stands at the cut is found, and nothing of it is kept", () => {
	const redaction = new PayloadRedaction(20);
	redaction.learn({ ...none, values: ["a-secret-of-somebody"], are_all: true });
	const head = headOf(Buffer.from(`0123456789a-secret-of-somebody${"z".repeat(100_000)}`), 20);
	assert.ok(head.length < 100_000);
	assert.equal(text(redaction.clean(head)), "0123456789[redacted]");
});

test("a payload without secrets is the same buffer", () => {
	const redaction = new PayloadRedaction(1_000);
	redaction.learn({ ...none, values: ["a-secret-of-somebody"], are_all: true });
	const payload = Buffer.from("nothing to see");
	assert.equal(redaction.clean(payload), payload);
});

test("a thread is told what is new, and everything where it is another one", () => {
	const redactor = new SecretRedactor();
	const news = new SecretNews(redactor);
	const [thread, next] = [{}, {}];
	redactor.add("the-first-secret");
	const first = { ...none, values: ["the-first-secret"] };
	assert.deepEqual(news.since(thread), { ...first, are_all: true });
	assert.equal(news.since(thread), undefined);
	redactor.add("the-second-secret");
	redactor.tokens.add("a-token-of-somebody");
	redactor.forget("the-first-secret");
	assert.deepEqual(news.since(thread), {
		values: ["the-second-secret"],
		tokens: ["a-token-of-somebody"],
		forgotten: ["the-first-secret"],
		are_all: false,
	});
	assert.deepEqual(news.since(next), {
		values: ["the-second-secret"],
		tokens: ["a-token-of-somebody"],
		forgotten: [],
		are_all: true,
	});
});

test("a thread is told what happened to a value last, and everything once that is long ago", () => {
	const redactor = new SecretRedactor();
	const news = new SecretNews(redactor);
	const thread = {};
	redactor.add("a-secret-that-stays");
	news.since(thread);
	redactor.tokens.add("a-token-of-somebody");
	redactor.forget("a-token-of-somebody");
	redactor.tokens.add("a-token-of-somebody");
	assert.deepEqual(news.since(thread), { ...none, tokens: ["a-token-of-somebody"] });
	for (let n = 0; n <= 10_000; n += 1) {
		redactor.tokens.add(`a-token-of-number-${n}`);
		redactor.forget(`a-token-of-number-${n}`);
	}
	assert.deepEqual(news.since(thread), {
		values: ["a-secret-that-stays"],
		tokens: ["a-token-of-somebody"],
		forgotten: [],
		are_all: true,
	});
});

test("what was forgotten is taken out of what came before, until much else was forgotten", () => {
	const redaction = new PayloadRedaction(1_000);
	const payload = Buffer.from("it was the-old-token");
	redaction.learn({ ...none, tokens: ["the-old-token"], are_all: true });
	redaction.learn({ ...none, forgotten: ["the-old-token"] });
	assert.equal(text(redaction.clean(payload)), "it was [redacted]");
	const others = Array.from({ length: forgotten_max }, (_, n) => `token-number-${n}`);
	redaction.learn({ ...none, forgotten: others });
	assert.equal(redaction.clean(payload), payload);
});

test("in the thread, too, tokens never push values out", () => {
	const redaction = new PayloadRedaction(1_000);
	redaction.learn({ ...none, values: ["a-secret-of-somebody"], are_all: true });
	const tokens = Array.from({ length: values_max + 1 }, (_, n) => `token-number-${n}`);
	redaction.learn({ ...none, tokens });
	assert.equal(text(redaction.clean(Buffer.from("a-secret-of-somebody"))), "[redacted]");
});
