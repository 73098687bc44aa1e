import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { systemRandom } from "../lib/random.ts";
import { SharedSlots } from "../lib/shared-slots.ts";
import { SecretBox } from "../secrets/box.ts";
import { ChainWriter } from "./chain-writer.ts";
import { type Disk, system_disk } from "./disk.ts";
import { purposes } from "./entries.ts";
import { AuditKeeper } from "./keeper.ts";
import type { AppendMessage, AuditRetention, OwnerTuple } from "./messages.ts";
import { Outgoing } from "./outgoing.ts";
import { keys_name, PayloadKeys } from "./payload-keys.ts";
import { readCall } from "./read-call.ts";
import { signerOf } from "./signing-key.ts";
import { verifyLog } from "./verify.ts";

const day_ms = 24 * 3_600_000;
const start_ms = Date.UTC(2026, 0, 1, 12);
const seed = Buffer.alloc(32, 3);
const box_key = Buffer.alloc(32, 4);

function setUp(
	context: TestContext,
	retention: AuditRetention,
	disk: Disk = system_disk,
	afterPiece = (): void => undefined,
) {
	const parent = mkdtempSync(join(tmpdir(), "moorage-keeper-"));
	context.after(() => rmSync(parent, { recursive: true }));
	const folder = join(parent, "audit");
	let now_ms = start_ms;
	let batch = 0;
	const sizes = { segment_bytes_max: 2_000, payload_bytes_max: 1_000_000 };
	const data = { folder, seed, box_key, ...sizes, retention };
	const parts = { disk, random: systemRandom, now: () => now_ms, afterPiece };
	const keeper = new AuditKeeper(data, parts);
	const message = (
		call: string,
		owner: OwnerTuple,
		payload = `payload of ${call}`,
	): AppendMessage => {
		const outgoing = new Outgoing(new SharedSlots(1_000, 0));
		const json = `{"kind":"call","at_ms":${now_ms},"call":"${call}"`;
		const input = Buffer.from(payload);
		outgoing.add({ what: json, purpose: purposes.call, owner, input, output: undefined });
		batch += 1;
		return outgoing.message({ batch, now_ms, lost: 0, secrets: undefined });
	};
	const verify = (is_copy = false) => {
		const kinds: unknown[] = [];
		const found = verifyLog(folder, {
			disk: system_disk,
			verifier: signerOf(seed).verifier,
			is_copy,
			onEntry: (_, { kind }) => kinds.push(kind),
		});
		return { ...found, kinds };
	};
	const kindOf = async (call: string) => {
		const box = new SecretBox(box_key, systemRandom);
		const keys = new PayloadKeys(folder, { disk: system_disk, box, random: systemRandom });
		return (await readCall(folder, call, undefined, { disk: system_disk, keys }))?.input.kind;
	};
	const payloadOf = async (call: string) => {
		const box = new SecretBox(box_key, systemRandom);
		const keys = new PayloadKeys(folder, { disk: system_disk, box, random: systemRandom });
		const found = await readCall(folder, call, undefined, { disk: system_disk, keys });
		return found?.input.kind === "bytes" ? found.input.bytes.toString() : undefined;
	};
	return {
		keeper,
		folder,
		message,
		verify,
		kindOf,
		payloadOf,
		append: (call: string, owner: OwnerTuple) => keeper.append([message(call, owner)]),
		wait: (days: number) => {
			now_ms += days * day_ms;
			return keeper.answer({ kind: "ask", id: 1, ask: "retain", now_ms }).value;
		},
	};
}

const ever: AuditRetention = { keep_ms: 1e12, risks: {}, tenants: {} };

/** A disk that takes no write of more than `room.bytes`. */
function smallDisk(): { readonly disk: Disk; readonly room: { bytes: number } } {
	const room = { bytes: 1e9 };
	const check = (bytes: Buffer): void => {
		if (bytes.length > room.bytes) throw Object.assign(new Error("full"), { code: "ENOSPC" });
	};
	const disk: Disk = {
		...system_disk,
		write(file, bytes) {
			check(bytes);
			system_disk.write(file, bytes);
		},
		writeAt(file, bytes, position) {
			check(bytes);
			system_disk.writeAt(file, bytes, position);
		},
	};
	return { disk, room };
}

test("each tenant's and class's payloads are kept as long as is said, and the chain longer", async (t) => {
	const { append, wait, kindOf, verify, keeper } = setUp(t, {
		keep_ms: 30 * day_ms,
		risks: { read: 7 * day_ms },
		tenants: { acme: { keep_ms: 90 * day_ms, risks: { read: 20 * day_ms } } },
	});
	const owners: [string, OwnerTuple, number][] = [
		["a", ["acme", "ana", "read"], 20],
		["b", ["acme", "ana", "costly"], 90],
		["c", ["other", "bob", "read"], 7],
		["d", ["other", "bob", "costly"], 30],
	];
	for (const [call, owner] of owners) append(call, owner);
	let passed = 0;
	for (const days of [6, 8, 19, 21, 29, 31, 80]) {
		wait(days - passed);
		passed = days;
		for (const [call, , keep] of owners) {
			// A key is of a whole day: its time begins when the day ends.
			const expected = days <= keep ? "bytes" : "erased";
			assert.equal(await kindOf(call), expected, `${call} after ${days} days`);
		}
		assert.equal(verify().problem, undefined);
	}
	keeper.answer({ kind: "ask", id: 1, ask: "close" });
});

test("segments go once nothing in them is to be kept, and the rest verifies", (t) => {
	const { append, wait, verify, folder } = setUp(t, {
		keep_ms: 10 * day_ms,
		risks: {},
		tenants: {},
	});
	for (let day = 0; day < 30; day += 1) {
		for (let n = 0; n < 4; n += 1) append(`call-${day}-${n}`, ["acme", "ana", "costly"]);
		wait(1);
	}
	const { problem, first_seq, kinds } = verify();
	assert.equal(problem, undefined);
	assert.ok(first_seq > 50, `begins with ${first_seq}`);
	assert.ok(kinds.includes("pruned") && kinds.includes("expired"));
	const segments = readdirSync(folder).filter((name) => name.endsWith(".log"));
	assert.ok(segments.length < 60, `${segments.length} segments`);
});

test("where the payload does not fit on the disk, the entry is kept without it", async (t) => {
	const { disk, room } = smallDisk();
	const { keeper, message, verify, kindOf } = setUp(t, ever, disk);
	keeper.append([message("before", ["acme", "ana", "costly"])]);
	room.bytes = 3_000;
	const big = message("big", ["acme", "ana", "costly"], "x".repeat(50_000));
	const done = keeper.append([big]);
	assert.deepEqual([done.kept, done.payloads_lost, done.error], [true, 1, "ENOSPC"]);
	room.bytes = 10;
	assert.equal(keeper.append([message("gone", ["acme", "ana", "costly"])]).kept, false);
	room.bytes = 1e9;
	assert.equal(keeper.append([message("after", ["acme", "ana", "costly"])]).error, undefined);
	assert.equal(await kindOf("big"), "none");
	assert.equal(await kindOf("gone"), undefined);
	assert.equal(await kindOf("after"), "bytes");
	const { problem, lost } = verify();
	assert.equal(problem, undefined);
	assert.equal(lost, 1);
});

const linesOf = (path: string) => readFileSync(path, "utf8").trimEnd().split("\n");

test("a key that somebody takes away is told from one that was destroyed", (t) => {
	const { append, verify, keeper, folder } = setUp(t, ever);
	append("x", ["acme", "ana", "costly"]);
	append("y", ["acme", "bob", "costly"]);
	append("z", ["acme", "eve", "costly"]);
	keeper.answer({ kind: "ask", id: 1, ask: "erase", tenant: "acme", user: "eve" });
	assert.equal(verify().problem, undefined);
	const path = join(folder, keys_name);
	const [ana, bob] = linesOf(path);
	writeFileSync(path, `${bob}\n`);
	const { id } = JSON.parse(ana ?? "") as { id: string };
	const { problem } = verify();
	assert.deepEqual([problem?.kind, problem?.segment], ["missing", keys_name]);
	const place = `The key ${id} of the payloads in entry ${problem?.seq} is gone`;
	assert.ok(problem?.message.startsWith(place), problem?.message);
	assert.equal(verify(true).problem?.kind, "missing");
	rmSync(path);
	assert.equal(verify(true).problem, undefined);
	assert.match(verify().problem?.message ?? "", /and 1 more, is gone from the file keys/);
	writeFileSync(path, `${ana}\n${bob}\n`);
	assert.equal(verify().problem, undefined);
});

test("keys that an older version has destroyed without naming them are nobody's theft", (t) => {
	const parent = mkdtempSync(join(tmpdir(), "moorage-keeper-"));
	t.after(() => rmSync(parent, { recursive: true }));
	const folder = join(parent, "audit");
	const signer = signerOf(seed);
	const [disk, now] = [system_disk, () => start_ms];
	const writer = new ChainWriter({ folder, disk, signer, now, segment_bytes_max: 1e6 });
	const block = { kind: "block", at_ms: start_ms, key: "gone", nonce: "", data: "" };
	const say = (entry: object) => writer.append(() => [JSON.stringify(entry)]);
	const problem = () => verifyLog(folder, { disk, verifier: signer.verifier }).problem;
	say({ kind: "start", format: 3, at_ms: start_ms });
	say(block);
	assert.equal(problem(), undefined);
	say({ kind: "start", format: 4, at_ms: start_ms });
	say(block);
	assert.equal(problem()?.kind, "missing");
	say({ kind: "expired", at_ms: start_ms, keys: 1 });
	assert.equal(problem(), undefined);
	writer.close();
});

test("what is to be erased is said before it is done", (t) => {
	const { disk, room } = smallDisk();
	const { append, verify, keeper, folder } = setUp(t, ever, disk);
	append("x", ["acme", "ana", "costly"]);
	room.bytes = 10;
	const asked = { kind: "ask", id: 1, ask: "erase", tenant: "acme", user: "ana" } as const;
	assert.equal(keeper.answer(asked).error, "ENOSPC");
	assert.equal(linesOf(join(folder, keys_name)).length, 1);
	room.bytes = 1e9;
	assert.equal(keeper.answer(asked).value, 1);
	assert.equal(verify().problem, undefined);
});

test("entries of several people in one append are each sealed with their own key", async (t) => {
	const { keeper, message, kindOf } = setUp(t, ever);
	keeper.append([message("x", ["acme", "ana", "costly"]), message("y", ["acme", "bob", "costly"])]);
	const erased = keeper.answer({ kind: "ask", id: 2, ask: "erase", tenant: "acme", user: "ana" });
	assert.equal(erased.value, 1);
	assert.deepEqual([await kindOf("x"), await kindOf("y")], ["erased", "bytes"]);
	assert.equal(
		keeper.answer({ kind: "ask", id: 3, ask: "erase", tenant: "a", user: "b" }).value,
		0,
	);
});

test("payloads of any length come back as they were, of one person and of others by turns", async (t) => {
	let pieces = 0;
	const set_up = setUp(t, ever, system_disk, () => {
		pieces += 1;
	});
	const { keeper, message, verify, payloadOf } = set_up;
	const owners: OwnerTuple[] = [
		["acme", "ana", "read"],
		["acme", "ana", "read"],
		["acme", "bob", "read"],
	];
	const lengths = [1, 2, 3, 0, 24 * 1024 - 17, 24 * 1024, 24 * 1024 + 1, 100_000, 700_000, 5];
	const text = (n: number, length: number) => String.fromCharCode(97 + (n % 26)).repeat(length);
	const messages = lengths.map((length, n) => {
		return message(`call-${n}`, owners[n % owners.length] as OwnerTuple, text(n, length));
	});
	assert.equal(keeper.append(messages).kept, true);
	for (const [n, length] of lengths.entries()) {
		if (length > 0) assert.equal(await payloadOf(`call-${n}`), text(n, length), `${length}`);
	}
	assert.equal(verify().problem, undefined);
	// So that who makes many entries can let others go first: each is read, and then written.
	assert.equal(pieces, 2 * lengths.length);
});
