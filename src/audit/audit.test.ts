import assert from "node:assert/strict";
import {
	chmodSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { sampleRecord } from "../../test/support/call-record.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { systemClock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import { SecretBox } from "../secrets/box.ts";
import { SecretRedactor } from "../secrets/redactor.ts";
import { Audit, type AuditOptions, type AuditTrouble } from "./audit.ts";
import { system_disk } from "./disk.ts";
import { PayloadKeys } from "./payload-keys.ts";
import { readCall } from "./read-call.ts";
import { signerOf } from "./signing-key.ts";
import { verifyLog } from "./verify.ts";

const seed = Buffer.alloc(32, 3);
const box_key = Buffer.alloc(32, 4);
const day_ms = 24 * 3_600_000;

type Changes = Partial<AuditOptions> & { readonly payload_bytes_max?: number };

function setUp(context: TestContext, { payload_bytes_max = 1_000_000, ...changes }: Changes = {}) {
	const parent = mkdtempSync(join(tmpdir(), "moorage-audit-"));
	const folder = join(parent, "audit");
	const troubles: AuditTrouble[] = [];
	const start = () =>
		new Audit({
			clock: systemClock,
			data: {
				folder,
				seed,
				box_key,
				segment_bytes_max: 1_000_000,
				payload_bytes_max,
				retention: { keep_ms: 30 * day_ms, risks: {}, tenants: {} },
			},
			required: false,
			redactor: new SecretRedactor(),
			onTrouble: (trouble) => troubles.push(trouble),
			// A busy machine takes its time to start the thread.
			wait_ms_max: 60_000,
			...changes,
		});
	const audit = start();
	context.after(async () => {
		await audit.close();
		chmodSync(parent, 0o700);
		rmSync(parent, { recursive: true, force: true });
	});
	const verify = () => {
		const entries: Record<string, unknown>[] = [];
		const { verifier } = signerOf(seed);
		const onEntry = (_: unknown, entry: Record<string, unknown>) => entries.push(entry);
		return { ...verifyLog(folder, { disk: system_disk, verifier, onEntry }), entries };
	};
	const read = (call: string, at_ms?: number) => {
		const box = new SecretBox(box_key, systemRandom);
		const keys = new PayloadKeys(folder, { disk: system_disk, box, random: systemRandom });
		return readCall(folder, call, at_ms, { disk: system_disk, keys });
	};
	return { audit, parent, folder, troubles, verify, read, start };
}

test("a call whose reply cannot be read is not open any more", async (t) => {
	let is_broken = false;
	const reply = () => {
		if (is_broken) throw new RangeError("too deep");
		return Buffer.from("{}");
	};
	const { audit, verify } = setUp(t);
	const record = sampleRecord({ id: "call-1", reply });
	await audit.before(record);
	is_broken = true;
	assert.throws(() => audit.after(record), /too deep/);
	is_broken = false;
	await audit.after(record);
	await audit.close();
	const kinds = verify().entries.flatMap(({ kind, call }) => (call === "call-1" ? [kind] : []));
	assert.deepEqual(kinds, ["intent", "call"]);
});

test("a call that may change something is written before it and before its reply", async (t) => {
	const { audit, verify, read } = setUp(t);
	const record = sampleRecord({ id: "call-1" });
	await audit.before(record);
	const open = verify();
	assert.equal(open.problem, undefined);
	assert.deepEqual(
		open.unknown_fates.map(({ call }) => call),
		["call-1"],
	);
	await audit.after(record);
	const done = verify();
	assert.deepEqual(done.unknown_fates, []);
	const kinds = done.entries.map(({ kind }) => kind);
	assert.deepEqual(
		kinds.filter((kind) => kind !== "checkpoint"),
		["start", "block", "intent", "block", "outcome"],
	);
	const found = await read("call-1", record.ts_ms);
	assert.ok(found);
	assert.deepEqual(found.input, { kind: "bytes", bytes: record.request() });
	assert.deepEqual(found.output, { kind: "bytes", bytes: record.reply() });
	assert.equal(found.entries[0]?.["input_hash"], record.inputHash());
});

test("calls that only read are one entry, share a block, and nobody waits for them", async (t) => {
	const { audit, verify, read } = setUp(t);
	for (let n = 0; n < 50; n += 1) {
		const reply = Buffer.from(`answer ${n}`);
		assert.equal(audit.after(sampleRecord({ id: `r${n}`, risk: "read" }, { reply })), undefined);
	}
	await audit.flush();
	const { entries } = verify();
	assert.equal(entries.filter(({ kind }) => kind === "block").length, 1);
	assert.equal(entries.filter(({ kind }) => kind === "call").length, 50);
	const found = await read("r31");
	assert.ok(found?.output.kind === "bytes");
	assert.equal(found.output.bytes.toString(), "answer 31");
});

test("no payload, and nothing of one, stands in the folder as it is", async (t) => {
	const { audit, folder } = setUp(t);
	const secret = "very-recognisable-payload";
	const bytes = Buffer.from(`{"text":"${secret}"}`);
	const record = sampleRecord({}, { request: bytes, reply: bytes });
	await audit.before(record);
	await audit.after(record);
	await audit.close();
	for (const name of readdirSync(folder)) {
		const text = readFileSync(join(folder, name), "latin1");
		assert.ok(!text.includes(secret), name);
		assert.ok(!text.includes(Buffer.from(secret).toString("base64").slice(4, 24)), name);
	}
});

test("the erasure of a person takes their payloads, and the log still verifies", async (t) => {
	const { audit, verify, read } = setUp(t);
	for (const user of ["ana", "bob"]) {
		const record = sampleRecord({ id: `of-${user}`, user });
		await audit.before(record);
		await audit.after(record);
	}
	assert.equal(await audit.erase("acme", "ana"), 1);
	assert.equal((await read("of-ana"))?.input.kind, "erased");
	assert.equal((await read("of-bob"))?.input.kind, "bytes");
	const { problem, entries } = verify();
	assert.equal(problem, undefined);
	const erased = entries.find(({ kind }) => kind === "erased");
	assert.equal(erased?.["user"], "ana");
	// What they do afterwards is kept again.
	const again = sampleRecord({ id: "again", user: "ana" });
	await audit.before(again);
	assert.equal((await read("again"))?.input.kind, "bytes");
});

test("payloads are cut to what is kept, and redacted before they are", async (t) => {
	const redactor = new SecretRedactor();
	redactor.add("a-s3cret-of-somebody");
	const { audit, read } = setUp(t, { payload_bytes_max: 1_000, redactor });
	const request = Buffer.from(`${"x".repeat(997)}a-s3cret-of-somebody${"y".repeat(60_000)}`);
	const record = sampleRecord({ id: "big" }, { request, reply: Buffer.from([0xff, 0xfe, 0x00]) });
	await audit.before(record);
	await audit.after(record);
	const found = await read("big");
	assert.ok(found?.input.kind === "bytes" && found.output.kind === "bytes");
	assert.equal(found.input.bytes.toString(), `${"x".repeat(997)}[re`);
	assert.deepEqual([...found.output.bytes], [0xff, 0xfe, 0x00]);
});

test("a secret that is learned while the log is written is in no payload from then on", async (t) => {
	const redactor = new SecretRedactor();
	const { audit, read } = setUp(t, { redactor });
	const [first, second] = ["the-first-secret", "another-secret"];
	const bytes = Buffer.from(`${first} and ${second}`);
	const inputOf = async (id: string) => {
		await audit.before(sampleRecord({ id }, { request: bytes }));
		const { input } = (await read(id)) ?? {};
		return input?.kind === "bytes" ? input.bytes.toString() : input?.kind;
	};
	assert.equal(await inputOf("knows-nothing"), `${first} and ${second}`);
	redactor.add(first);
	assert.equal(await inputOf("knows-one"), `[redacted] and ${second}`);
	redactor.add(second);
	assert.equal(await inputOf("knows-both"), "[redacted] and [redacted]");
});

test("payloads that are no text come back byte for byte", async (t) => {
	const { audit, read, verify } = setUp(t);
	const bytes = Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28, 0x0a, 0xed, 0xa0, 0x80]);
	for (const [id, risk] of [
		["no-text-read", "read"],
		["no-text-write", "costly"],
	] as const) {
		const record = sampleRecord({ id, risk }, { request: bytes, reply: bytes });
		if (risk !== "read") await audit.before(record);
		await audit.after(record);
		await audit.flush();
		const { input, output } = (await read(id)) ?? {};
		assert.deepEqual(
			[input, output],
			[
				{ kind: "bytes", bytes },
				{ kind: "bytes", bytes },
			],
		);
	}
	assert.equal(verify().problem, undefined);
});

test("many at once share the wait for the disk and keep their order", async (t) => {
	const { audit, verify } = setUp(t);
	const records = Array.from({ length: 300 }, (_, n) => sampleRecord({ id: `c${n}` }));
	await Promise.all(records.map(async (record) => audit.before(record)));
	await Promise.all(records.map(async (record) => audit.after(record)));
	const { entries, problem } = verify();
	assert.equal(problem, undefined);
	const intents = entries.filter(({ kind }) => kind === "intent").map(({ call }) => call);
	assert.deepEqual(
		intents,
		records.map(({ id }) => id),
	);
	assert.equal(audit.totals.entries_lost, 0);
	assert.equal(audit.totals.entries, 600);
});

test("administrative actions have the states before and after as their payloads", async (t) => {
	const { audit, read } = setUp(t);
	const entry = {
		id: "action-1",
		at_ms: Date.UTC(2026, 0, 1),
		tenant_id: "local",
		user: "admin",
		roles: ["admin"],
		action: "addServer",
		subject: { name: "github" },
	};
	await audit.beginAction(entry, "servers: {}");
	await audit.endAction({ ...entry, status: 201 }, "servers: { github: {} }");
	const found = await read("action-1");
	assert.ok(found?.input.kind === "bytes" && found.output.kind === "bytes");
	assert.equal(found.input.bytes.toString(), "servers: {}");
	assert.equal(found.output.bytes.toString(), "servers: { github: {} }");
});

test("a folder that cannot be used loses entries, says so, and is tried again", async (t) => {
	const { audit, parent, folder, verify } = setUp(t);
	// A file where the folder should be: nobody, not even root, can write into it.
	mkdirSync(parent, { recursive: true });
	system_disk.replace(folder, "in the way");
	await audit.before(sampleRecord({ id: "lost" }));
	await audit.after(sampleRecord({ id: "lost" }));
	assert.equal(audit.totals.entries_lost, 2);
	assert.equal(audit.failing, "EEXIST");
	rmSync(folder);
	await audit.before(sampleRecord({ id: "kept" }));
	assert.equal(audit.failing, undefined);
	const { entries, lost } = verify();
	assert.equal(lost, 2);
	assert.ok(entries.some(({ call }) => call === "kept"));
});

test("a required audit that cannot be written refuses the call", async (t) => {
	const { audit, folder, troubles } = setUp(t, { required: true });
	system_disk.replace(folder, "in the way");
	await assert.rejects(async () => audit.before(sampleRecord()), /cannot be written \(EEXIST\)/);
	await audit.close();
	assert.equal(troubles[0]?.entries_lost, 1);
});

test("a disk that takes for ever holds nobody up for ever", async (t) => {
	const { audit, verify } = setUp(t, { wait_ms_max: 0 });
	await audit.before(sampleRecord({ id: "slow" }));
	await audit.flush();
	assert.equal(audit.totals.late, 1);
	assert.ok(verify().entries.some(({ call }) => call === "slow"));
});

test("nobody waits for ever for a log that another one still writes to", async (t) => {
	const { promise, resolve } = Promise.withResolvers<void>();
	const { audit, verify } = setUp(t, { after: promise, wait_ms_max: 1 });
	await audit.before(sampleRecord({ id: "early" }));
	assert.equal(audit.totals.late, 1);
	const second = audit.before(sampleRecord({ id: "second" }));
	resolve();
	await second;
	await audit.flush();
	const calls = verify().entries.flatMap(({ call }) => (call === undefined ? [] : [call]));
	assert.deepEqual(calls, ["early", "second"]);
});

/** What every entry of a log is, checkpoints left out; none where there is no log yet. */
function kindsOf(entries: readonly Record<string, unknown>[]): unknown[] {
	return entries.map(({ kind }) => kind).filter((kind) => kind !== "checkpoint");
}

test("a thread that entries are expected of writes nothing before the first", async (t) => {
	const { audit, folder, verify } = setUp(t);
	audit.expect();
	audit.expect();
	await audit.before(sampleRecord({ id: "call-1" }));
	audit.expect();
	await audit.close();
	audit.expect();
	assert.equal(verify().problem, undefined);
	assert.deepEqual(kindsOf(verify().entries), ["start", "block", "intent"]);
	const idle = setUp(t);
	idle.audit.expect();
	await idle.audit.close();
	assert.deepEqual([existsSync(folder), existsSync(idle.folder)], [true, false]);
});

test("a thread that nothing comes for is ended after a minute, and the next entry starts it", async (t) => {
	const clock = new FakeClock();
	const { audit, folder, verify } = setUp(t, { clock });
	audit.expect();
	await clock.advance(60_000);
	assert.equal(existsSync(folder), false);
	await audit.before(sampleRecord({ id: "call-1" }));
	await clock.advance(60_000);
	await audit.after(sampleRecord({ id: "call-1" }));
	// Zeroes stand ahead of a log that is open.
	const [name = ""] = readdirSync(folder).filter((one) => one.endsWith(".log"));
	assert.ok(readFileSync(join(folder, name)).includes(0), "one that is used stays");
	const kinds = ["start", "block", "intent", "block", "outcome"];
	assert.deepEqual(kindsOf(verify().entries), kinds);
});
