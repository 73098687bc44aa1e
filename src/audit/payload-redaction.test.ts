import assert from "node:assert/strict";
import { test } from "node:test";
import { SecretRedactor } from "../secrets/redactor.ts";
import { headOf, PayloadRedaction, SecretNews } from "./payload-redaction.ts";

const text = (bytes: Buffer) => bytes.toString("latin1");

test("a secret that stands at the cut is found, and nothing of it is kept", () => {
	const redaction = new PayloadRedaction(20);
	redaction.learn({ values: ["a-secret-of-somebody"], are_all: true });
	const head = headOf(Buffer.from(`0123456789a-secret-of-somebody${"z".repeat(100_000)}`), 20);
	assert.ok(head.length < 100_000);
	assert.equal(text(redaction.clean(head)), "0123456789[redacted]");
});

test("a payload without secrets is the same buffer", () => {
	const redaction = new PayloadRedaction(1_000);
	redaction.learn({ values: ["a-secret-of-somebody"], are_all: true });
	const payload = Buffer.from("nothing to see");
	assert.equal(redaction.clean(payload), payload);
});

test("a thread is told what is new, and everything where it is another one", () => {
	const redactor = new SecretRedactor();
	const news = new SecretNews(redactor);
	const [thread, next] = [{}, {}];
	redactor.add("the-first-secret");
	assert.deepEqual(news.since(thread), { values: ["the-first-secret"], are_all: true });
	assert.equal(news.since(thread), undefined);
	redactor.add("the-second-secret");
	assert.deepEqual(news.since(thread), { values: ["the-second-secret"], are_all: false });
	assert.deepEqual(news.since(next), {
		values: ["the-first-secret", "the-second-secret"],
		are_all: true,
	});
});

test("a thread forgets values that are good for nothing, once they are many", () => {
	const redactor = new SecretRedactor();
	const news = new SecretNews(redactor);
	const thread = {};
	redactor.add("a-secret-that-stays");
	news.since(thread);
	for (let n = 0; n <= 1_000; n += 1) {
		redactor.add(`a-token-of-number-${n}`);
		redactor.forget(`a-token-of-number-${n}`);
	}
	assert.deepEqual(news.since(thread), { values: ["a-secret-that-stays"], are_all: true });
});
