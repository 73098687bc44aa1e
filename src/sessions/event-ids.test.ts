import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { formatEventId, parseEventId } from "./event-ids.ts";

const stream = "AAAA-BBB_CCCdddd";

describe("event ids", () => {
	it("name the stream and the place in it", () => {
		assert.equal(formatEventId(stream, 0), `${stream}-0`);
		assert.equal(formatEventId(stream, 36), `${stream}-10`);
		assert.deepEqual(parseEventId(`${stream}-10`), { stream, seq: 36, last: false });
	});

	it("say of a stream's last event that nothing follows", () => {
		assert.equal(formatEventId(stream, 36, true), `${stream}-10.`);
		assert.deepEqual(parseEventId(`${stream}-10.`), { stream, seq: 36, last: true });
	});

	for (const id of [
		".",
		`${stream}-.`,
		`${stream}-1..`,
		`${stream}-1.0`,
		"",
		"0",
		stream,
		`${stream}-`,
		`${stream}-00`,
		`${stream}-01`,
		`${stream}--1`,
		`${stream}-A`,
		`${stream}-1 `,
		`${stream}-1\n`,
		`x${stream}-1`,
		`${stream}-zzzzzzzzzzz`,
		`${stream}-1zzzzzzzzzzzz`,
		"__proto__-1",
	]) {
		it(`are not ${JSON.stringify(id)}`, () => assert.equal(parseEventId(id), undefined));
	}

	it("say the same after a round trip, whatever the stream and the number", () => {
		const property = fc.property(
			fc.uint8Array({ minLength: 12, maxLength: 12 }),
			fc.maxSafeNat(),
			fc.boolean(),
			(bytes, seq, last) => {
				const name = Buffer.from(bytes).toString("base64url");
				const id = formatEventId(name, seq, last);
				assert.match(id, /^[\x21-\x7e]+$/);
				assert.deepEqual(parseEventId(id), { stream: name, seq, last });
			},
		);
		fc.assert(property);
	});
});
