import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { isSignedWebhook, signWebhook, webhookHeaders } from "./webhook-signature.ts";

test("a secret of the Standard Webhooks form is taken for what it stands for", () => {
	const key = Buffer.from("0123456789");
	const expected = createHmac("sha256", key).update("i.1.b").digest("base64");
	assert.equal(signWebhook(`whsec_${key.toString("base64")}`, "i", "1", "b"), `v1,${expected}`);
});

test("what is signed is known again, also beside the signature of another secret", () => {
	fc.assert(
		fc.property(fc.string({ minLength: 1 }), fc.string(), fc.string(), (secret, id, body) => {
			const headers = webhookHeaders(`k${secret}`, id, 1_500, body);
			assert.equal(headers["webhook-timestamp"], "1");
			const signature = headers["webhook-signature"] as string;
			const said = { id, timestamp: "1", signature };
			assert.ok(isSignedWebhook(`k${secret}`, said, body));
			const two = `${signWebhook("another", id, "1", body)} ${signature}`;
			assert.ok(isSignedWebhook(`k${secret}`, { ...said, signature: two }, body));
		}),
	);
});

test("another body, id, time or secret has another signature", () => {
	const said = { id: "i", timestamp: "1", signature: signWebhook("secret", "i", "1", "b") };
	assert.ok(isSignedWebhook("secret", said, "b"));
	assert.ok(!isSignedWebhook("secret", said, "c"));
	assert.ok(!isSignedWebhook("other", said, "b"));
	assert.ok(!isSignedWebhook("secret", { ...said, id: "j" }, "b"));
	assert.ok(!isSignedWebhook("secret", { ...said, timestamp: "2" }, "b"));
	for (const signature of ["", "v1,", " ", "v2,x", said.signature.slice(0, -1)]) {
		assert.ok(!isSignedWebhook("secret", { ...said, signature }, "b"), signature);
	}
});
