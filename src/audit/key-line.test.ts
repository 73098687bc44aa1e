import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { audit_test_keys } from "../../test/support/audit-keys.ts";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { systemRandom } from "../lib/random.ts";
import { SecretBox } from "../secrets/box.ts";
import { system_disk } from "./disk.ts";
import { findKeysFault, readKeyLine, type StoredKey, writeKeyLine } from "./key-line.ts";
import { keys_name, PayloadKeys } from "./payload-keys.ts";
import { signerOf } from "./signing-key.ts";

const signer = signerOf(audit_test_keys.seed);
const ana = { tenant: "acme", user: "ana", risk: "read" };
const ben = { tenant: "acme", user: "ben", risk: "costly" };

/** The keys of a folder; as an older version would make them, without a signer. */
function keysOf(folder: string, by: "now" | "before"): PayloadKeys {
	const box = new SecretBox(Buffer.from(audit_test_keys.box_key), systemRandom);
	const parts = { disk: system_disk, box, random: systemRandom };
	return new PayloadKeys(folder, { ...parts, ...(by === "now" && { signer }) });
}

async function folderOf(t: TestContext) {
	const folder = await tempFolder(t);
	const path = join(folder, keys_name);
	const fault = () => findKeysFault(readFileSync(path), signer.verifier);
	return { folder, path, fault };
}

test("keys are signed, and any other byte in one of them is found", async (t) => {
	const { folder, path, fault } = await folderOf(t);
	const keys = keysOf(folder, "now");
	for (const owner of [ana, ben]) keys.keyFor(owner, 0);
	assert.equal(fault(), undefined);
	const bytes = readFileSync(path);
	fc.assert(
		fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
			const altered = Buffer.from(bytes);
			altered[at] = (altered[at] as number) ^ change;
			assert.equal(findKeysFault(altered, signer.verifier)?.kind, "altered");
		}),
	);
});

test("a line that lost its signature is found, and a start does not sign it again", async (t) => {
	const { folder, path, fault } = await folderOf(t);
	const keys = keysOf(folder, "now");
	for (const owner of [ana, ben]) keys.keyFor(owner, 0);
	const [first = "", second = ""] = readFileSync(path, "utf8").split("\n");
	const { signature: _, ...bare } = readKeyLine(second) as StoredKey;
	writeFileSync(path, `${first}\n${writeKeyLine(bare)}`);
	assert.deepEqual(fault(), { line: 2, kind: "unsigned" });
	keysOf(folder, "now");
	assert.deepEqual(fault(), { line: 2, kind: "unsigned" });
});

test("keys of an older version are signed when they are read, and open as before", async (t) => {
	const { folder, fault } = await folderOf(t);
	const made = keysOf(folder, "before").keyFor(ana, 0);
	assert.deepEqual(fault(), { line: 1, kind: "unsigned" });
	const keys = keysOf(folder, "now");
	assert.equal(fault(), undefined);
	assert.deepEqual(keys.open(made.id)?.key, made.key);
	assert.equal(keys.keyFor(ana, 0).id, made.id);
});

test("a line that was cut short is no fault, and the next key does not stand behind it", async (t) => {
	const { folder, path, fault } = await folderOf(t);
	const made = keysOf(folder, "now").keyFor(ana, 0);
	const whole = readFileSync(path, "utf8");
	for (const length of [1, 20, whole.length - 2]) {
		writeFileSync(path, whole + whole.slice(0, length));
		assert.equal(fault(), undefined, String(length));
	}
	const keys = keysOf(folder, "now");
	keys.keyFor(ben, 0);
	assert.equal(fault(), undefined);
	assert.equal(readFileSync(path, "utf8").split("\n").length, 3);
	assert.deepEqual(keys.open(made.id)?.key, made.key);
});

test("keys that are destroyed leave the others signed", async (t) => {
	const { folder, path, fault } = await folderOf(t);
	const keys = keysOf(folder, "now");
	for (const owner of [ana, ben]) keys.keyFor(owner, 0);
	const gone = keys.idsOf(({ user }) => user === "ana");
	assert.equal(gone.length, 1);
	keys.destroy(gone);
	assert.equal(fault(), undefined);
	assert.equal(readFileSync(path, "utf8").split("\n").length, 2);
});
