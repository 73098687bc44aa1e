import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { redacted, SecretRedactor } from "../secrets/redactor.ts";
import { kinds_max, Oddities, text_chars_max, told_max } from "./oddities.ts";

const secret = "the-s3cret-value-of-a-server";
const redactor = new SecretRedactor();
redactor.add(secret);

test("what differs in numbers and quoted names only is counted together, and told as it was last", async () => {
	const clock = new FakeClock(1_000);
	const oddities = new Oddities(clock, redactor);
	oddities.count('sent a reply to "a" that no request waits for (id 7)');
	oddities.count("wrote too much");
	await clock.advance(5);
	oddities.count('sent a reply to "b" that no request waits for (id 81)');
	assert.deepEqual(oddities.all(), [
		{ text: "wrote too much", count: 1, last_at_ms: 1_000 },
		{
			text: 'sent a reply to "b" that no request waits for (id 81)',
			count: 2,
			last_at_ms: 1_005,
		},
	]);
});

test("a flood of one kind is told a few times, then whenever it has doubled", () => {
	const oddities = new Oddities(new FakeClock(), redactor);
	const told: string[] = [];
	for (let count = 1; count <= 1_024; count++) {
		const line = oddities.count(`id ${count}`);
		if (line !== undefined) told.push(line);
	}
	assert.equal(told.length, told_max + 6);
	assert.equal(told[told_max - 1], `id ${told_max}`);
	assert.equal(told[told_max], "id 32 (32 times by now)");
	assert.equal(told.at(-1), "id 1024 (1024 times by now)");
	assert.equal(oddities.all()[0]?.count, 1_024);
});

test("as many kinds are kept as may be, and the one seen longest ago is forgotten", () => {
	const oddities = new Oddities(new FakeClock(), redactor);
	const kind = (at: number) => "x".repeat(at + 1);
	for (let at = 0; at < kinds_max; at++) oddities.count(kind(at));
	oddities.count(kind(0));
	oddities.count(kind(kinds_max));
	const texts = oddities.all().map(({ text }) => text);
	assert.equal(texts.length, kinds_max);
	assert.ok(texts.includes(kind(0)));
	assert.ok(!texts.includes(kind(1)));
	assert.equal(texts.at(-1), kind(kinds_max));
});

test("what is shown has no secret in it, and no more than there is room for", () => {
	const oddities = new Oddities(new FakeClock(), redactor);
	oddities.count(`an item without a ${secret} name`);
	assert.equal(oddities.all()[0]?.text, `an item without a ${redacted} name`);
	for (let before = text_chars_max - 40; before <= text_chars_max; before++) {
		const [last] = [new Oddities(new FakeClock(), redactor)].map((fresh) => {
			fresh.count(`${"-".repeat(before)}${secret}${"-".repeat(9_000)}`);
			return fresh.all()[0]?.text ?? "";
		});
		assert.ok((last?.length ?? 0) <= text_chars_max);
		assert.doesNotMatch(last ?? "", /s3c|the/);
	}
});
