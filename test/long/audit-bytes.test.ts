import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Audit } from "../../src/audit/audit.ts";
import { system_disk } from "../../src/audit/disk.ts";
import { keys_name } from "../../src/audit/payload-keys.ts";
import { signerOf } from "../../src/audit/signing-key.ts";
import { verifyLog } from "../../src/audit/verify.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { SecretRedactor } from "../../src/secrets/redactor.ts";
import { audit_test_keys } from "../support/audit-keys.ts";
import { sampleRecord } from "../support/call-record.ts";
import { tempFolder } from "../support/temp-folder.ts";

test("each single byte of a small audit that is changed is found", async (t) => {
	const folder = join(await tempFolder(t), "audit");
	const audit = new Audit({
		clock: systemClock,
		data: {
			folder,
			...audit_test_keys,
			...{ segment_bytes_max: 1_000_000, payload_bytes_max: 1_000 },
			retention: { keep_ms: 1e12, risks: {}, tenants: {} },
		},
		required: true,
		redactor: new SecretRedactor(),
		onTrouble: (trouble) => assert.fail(JSON.stringify(trouble)),
		wait_ms_max: 120_000,
	});
	const record = sampleRecord();
	await audit.before(record);
	await audit.after(record);
	await audit.close();
	const { verifier } = signerOf(audit_test_keys.seed);
	const verify = () => verifyLog(folder, { disk: system_disk, verifier });
	assert.equal(verify().problem, undefined);
	let bytes = 0;
	assert.ok(readdirSync(folder).includes(keys_name));
	for (const name of readdirSync(folder)) {
		const path = join(folder, name);
		const original = readFileSync(path);
		for (let at = 0; at < original.length; at += 1) {
			const altered = Buffer.from(original);
			altered[at] = (original[at] as number) ^ 1;
			writeFileSync(path, altered);
			assert.ok(verify().problem !== undefined, `byte ${at} of ${name}`);
		}
		writeFileSync(path, original);
		bytes += original.length;
	}
	t.diagnostic(`${bytes} bytes`);
	assert.equal(verify().problem, undefined);
});
