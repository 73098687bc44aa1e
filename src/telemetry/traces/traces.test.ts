import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { timedLine } from "../../../test/support/call-line.ts";
import { failedRecord, sampleRecord } from "../../../test/support/call-records.ts";
import { spansOf } from "./call-spans.ts";
import { stageSpanId, stages } from "./span.ts";
import { isChosen, keepOf } from "./tail.ts";
import { filterBaggage, formatTraceparent, parseTraceparent } from "./trace-context.ts";

const hex = (digits: number) =>
	fc
		.array(fc.constantFrom(...Array.from("0123456789abcdef")), {
			minLength: digits,
			maxLength: digits,
		})
		.map((all) => all.join(""))
		.filter((text) => !/^0+$/.test(text));

test("what is written as a traceparent is read back", () => {
	fc.assert(
		fc.property(hex(32), hex(16), fc.boolean(), (trace_id, span_id, sampled) => {
			const context = { trace_id, span_id, sampled };
			assert.deepEqual(parseTraceparent(formatTraceparent(context)), context);
		}),
	);
});

test("a traceparent that the specification says to ignore is ignored", () => {
	const [trace, span] = ["4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"];
	for (const text of [
		"",
		`00-${trace}-${span}`,
		`ff-${trace}-${span}-01`,
		`00-${trace}-${span}-01-more`,
		`00-${"0".repeat(32)}-${span}-01`,
		`00-${trace}-${"0".repeat(16)}-01`,
		`00-${trace.toUpperCase()}-${span}-01`,
		`01-${trace}-${span}-01-${"x".repeat(300)}`,
	]) {
		assert.equal(parseTraceparent(text), undefined, text);
	}
	assert.equal(parseTraceparent(`01-${trace}-${span}-03-more`)?.sampled, true);
	assert.equal(parseTraceparent(`00-${trace}-${span}-02`)?.sampled, false);
});

test("of baggage only trusted keys go on, as they were written", () => {
	const text = "user=ana;p=1, secret=x ,tier=gold";
	assert.equal(filterBaggage(text, []), undefined);
	assert.equal(filterBaggage(text, ["other"]), undefined);
	assert.equal(filterBaggage(text, ["user", "tier"]), "user=ana;p=1,tier=gold");
	assert.equal(filterBaggage(`tier=${"x".repeat(9_000)}`, ["tier"]), undefined);
});

test("errors and slow calls are kept, and of the others a share", () => {
	const plan = { ratio: 0, slow_ms: 100 };
	assert.equal(keepOf(sampleRecord({ duration_ms: 99 }), plan), "no");
	assert.equal(keepOf(sampleRecord({ duration_ms: 100 }), plan), "notable");
	assert.equal(keepOf(failedRecord(), plan), "notable");
	assert.equal(keepOf(sampleRecord({ status: "client_error" }), plan), "notable");
	assert.equal(keepOf(sampleRecord(), { ...plan, ratio: 1 }), "ordinary");
});

test("the share follows from the trace's id, and a larger share has the smaller one in it", () => {
	fc.assert(
		fc.property(hex(32), fc.double({ min: 0, max: 1, noNaN: true }), (id, ratio) => {
			const chosen = isChosen(id, ratio);
			assert.equal(isChosen(id, ratio), chosen);
			if (chosen) assert.ok(isChosen(id, Math.min(1, ratio + 0.1)));
			assert.equal(isChosen(id, 0), false);
		}),
	);
	const ids = Array.from({ length: 2_000 }, (_, index) =>
		(BigInt(index) * 0x9e3779b97f4a7c15n).toString(16).padStart(32, "0").slice(-32),
	);
	const share = ids.filter((id) => isChosen(id, 0.25)).length / ids.length;
	assert.ok(share > 0.2 && share < 0.3, String(share));
});

test("parts of a call have ids of their own that follow from the call's", () => {
	fc.assert(
		fc.property(hex(16), (span_id) => {
			const ids = new Set([span_id, ...stages.map((stage) => stageSpanId(span_id, stage))]);
			assert.equal(ids.size, stages.length + 1);
			for (const id of ids) assert.match(id, /^[0-9a-f]{16}$/);
		}),
	);
});

test("a span has no longer name than others, whatever method was called", () => {
	const [own] = spansOf([timedLine(sampleRecord({ method: "m".repeat(5_000), name: undefined }))]);
	assert.ok((own?.name.length ?? 0) <= 256);
	const { "mcp.method.name": method } = { ...own?.attributes, ...own?.shared };
	assert.ok(String(method).length <= 256);
});

test("parts lie within their call, one after the other, however odd their lengths are", () => {
	const length = fc.double({ min: 0, max: 100, noNaN: true });
	fc.assert(
		fc.property(length, length, length, length, length, length, length, (...lengths) => {
			const [duration_ms, policy_ms, approval_ms, queue_ms, wake_ms, audit_ms] = lengths;
			const before = { policy_ms, approval_ms, queue_ms, wake_ms, audit_ms };
			const parts = { ...before, duration_ms, upstream_ms: lengths[6] };
			const [own, ...rest] = [...spansOf([timedLine(sampleRecord(parts))])];
			let at = own?.start_ms ?? 0;
			for (const span of rest) {
				assert.ok(span.start_ms >= at && span.end_ms >= span.start_ms, span.name);
				assert.ok(span.end_ms <= (own?.end_ms ?? 0));
				at = span.end_ms;
			}
		}),
	);
});

test("secrets in names and texts are taken out, and what is not offered is not named", () => {
	const redactor = { text: (text: string) => text.replaceAll("s3cret", "[redacted]") };
	const told = sampleRecord({
		name: "push-s3cret",
		user: "s3cret",
		instance: "s3cret",
		request_id: '"s3cret"',
		client_id: "s3cret",
		client_revision: "s3cret",
		method: "tools/s3cret",
	});
	const spans = [...spansOf([timedLine(told, redactor)])];
	assert.doesNotMatch(JSON.stringify(spans), /s3cret/);
	const unknown = sampleRecord({ name: "made-up", status: "client_error", code: "not_offered" });
	assert.doesNotMatch(JSON.stringify([...spansOf([timedLine(unknown, redactor)])]), /made-up/);
});
