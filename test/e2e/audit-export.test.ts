import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Audit } from "../../src/audit/audit.ts";
import { ChainWriter } from "../../src/audit/chain-writer.ts";
import { system_disk } from "../../src/audit/disk.ts";
import { auditPlaces } from "../../src/audit/places.ts";
import { signerOf } from "../../src/audit/signing-key.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { ensureKeyFile } from "../../src/secrets/key-file.ts";
import { SecretRedactor } from "../../src/secrets/redactor.ts";
import { sampleRecord } from "../support/call-record.ts";
import { runCli } from "../support/run-cli.ts";
import { s3_credentials, startS3Store } from "../support/s3-store.ts";
import { tempFolder } from "../support/temp-folder.ts";

/** A data folder with an audit of some calls in it. */
async function dataFolder(folder: string): Promise<string> {
	const data = join(folder, ".moorage");
	const places = auditPlaces(data);
	const seed = await ensureKeyFile(places.signing_key, 32, systemRandom);
	const box_key = await ensureKeyFile(places.payload_key, 32, systemRandom);
	assert.ok(seed.ok && box_key.ok);
	const audit = new Audit({
		clock: systemClock,
		data: {
			folder: places.folder,
			seed: seed.value,
			box_key: box_key.value,
			segment_bytes_max: 4_000,
			payload_bytes_max: 10_000,
			retention: { keep_ms: 1e12, risks: {}, tenants: {} },
		},
		required: true,
		// The machine may be busy while the thread starts, and nobody waits for a reply here.
		wait_ms_max: 120_000,
		redactor: new SecretRedactor(),
		onTrouble: () => undefined,
	});
	for (let n = 0; n < 12; n += 1) {
		const name = n === 3 ? '=HYPERLINK("x"),\n"y"' : "echo";
		const record = sampleRecord({ id: `call-${n}`, name });
		await audit.before(record);
		await audit.after(record);
	}
	await audit.close();
	return data;
}

test("the entries are written as NDJSON and as a table that no spreadsheet runs", async (t) => {
	const folder = await tempFolder(t);
	const data = await dataFolder(folder);
	const run = (...args: string[]) =>
		runCli(["audit", "export", ...args, "--data", data], { cwd: folder });
	const outcome = await run("all.ndjson");
	assert.equal(outcome.code, 0, outcome.stderr);
	const entries = readFileSync(join(folder, "all.ndjson"), "utf8").trimEnd().split("\n");
	const parsed = entries.map((line) => JSON.parse(line) as Record<string, unknown>);
	assert.equal(parsed.filter(({ kind }) => kind === "intent").length, 12);
	assert.ok(parsed.every(({ kind }) => kind !== "block"));

	assert.equal((await run("all.csv")).code, 0);
	const table = readFileSync(join(folder, "all.csv"), "utf8");
	assert.match(table, /^seq,hash,kind,at_ms,call,/);
	assert.ok(table.includes(`"'=HYPERLINK(""x""),\n""y"""`), table);
	assert.equal(table.trimEnd().split("\r\n").length, parsed.length + 1);

	assert.equal((await run("all.csv")).code, 1, "a file that is there is left alone");
	assert.equal((await run("x.csv", "--format", "xml")).code, 2);
	assert.equal((await run("none.ndjson", "--since", "2100-01-01")).code, 0);
	assert.equal(readFileSync(join(folder, "none.ndjson"), "utf8"), "");
	assert.equal((await run("past.ndjson", "--until", "1m")).code, 0);
	assert.equal((await run("odd.ndjson", "--since", "yesterday")).code, 2);
	const seven = join(auditPlaces(data).folder, "000000000001.log");
	writeFileSync(seven, readFileSync(seven, "utf8").replace("call-1", "call-X"));
	const broken = await run("broken.ndjson");
	assert.equal(broken.code, 1);
	assert.match(broken.stderr, /not whole/);
});

test("the log is copied to a bucket, locked, and what comes back from there verifies", async (t) => {
	const folder = await tempFolder(t);
	const data = await dataFolder(folder);
	const store = await startS3Store(t, join(folder, "s3"), "evidence");
	const run = (...args: string[]) =>
		runCli(
			[
				"audit",
				"export",
				"s3://evidence/eu 1",
				"--endpoint",
				store.endpoint,
				"--data",
				data,
				...args,
			],
			{ cwd: folder, environment: s3_credentials },
		);
	const first = await run("--lock-days", "90", "--json");
	assert.equal(first.code, 0, first.stderr);
	const { written } = JSON.parse(first.stdout) as { written: string[] };
	assert.ok(written.length > 3, "several segments and a checkpoint");
	for (const { headers } of store.requests.filter(({ method }) => method === "PUT")) {
		assert.equal(headers["x-amz-object-lock-mode"], "COMPLIANCE");
		const until_ms = Date.parse(String(headers["x-amz-object-lock-retain-until-date"]));
		assert.ok(Math.abs(until_ms - Date.now() - 90 * 86_400_000) < 60_000);
		assert.match(String(headers["content-md5"]), /^[A-Za-z0-9+/]{22}==$/);
		assert.match(String(headers["authorization"]), /x-amz-object-lock-mode/, "it is signed");
	}

	// What is there is not sent again; what has grown gets a name of its own.
	const again = JSON.parse((await run("--json")).stdout) as { written: string[]; skipped: number };
	assert.deepEqual(again.written, []);
	assert.equal(again.skipped, written.length);
	const places = auditPlaces(data);
	const seed = await ensureKeyFile(places.signing_key, 32, systemRandom);
	assert.ok(seed.ok);
	const signer = signerOf(seed.value);
	const disk = system_disk;
	const now = () => Date.now();
	const writer = new ChainWriter({
		folder: places.folder,
		disk,
		signer,
		now,
		segment_bytes_max: 1e9,
	});
	writer.append(() => ['{"kind":"call","at_ms":1}']);
	writer.close();
	const grown = JSON.parse((await run("--json")).stdout) as { written: string[] };
	assert.equal(grown.written.length, 3, "the last segment, the checkpoint and the head");

	// Put back together from the bucket alone, and verified with the key that was kept elsewhere.
	const back = join(folder, "back", "audit");
	const names = readdirSync(join(store.objects, "eu 1")).filter((name) => name.endsWith("_object"));
	const latest = new Map<string, string>();
	// The longest of a segment, and the last of the others: by number, not as texts.
	const byNumber = (a: string, b: string) => a.localeCompare(b, "en", { numeric: true });
	for (const name of names.toSorted(byNumber)) {
		const object = name.replace("._S3rver_object", "");
		const [segment = ""] = object.split(/-\d+\.log$|\.log$/);
		const beside = /^(checkpoint|head)-/.exec(object)?.[1];
		const target = beside === undefined ? `${segment}.log` : `0-${beside}`;
		latest.set(target, join(store.objects, "eu 1", name));
	}
	for (const [name, path] of latest) cpSync(path, join(back, name));
	const { public_key } = signer.verifier;
	const verified = await runCli(
		["audit", "verify", "--data", join(folder, "back"), "--public-key", public_key],
		{ cwd: folder },
	);
	assert.match(verified.stdout, /The audit is whole/);

	assert.equal((await run("--lock-mode", "soft")).code, 2);
	const stranger = await runCli(
		["audit", "export", "s3://evidence", "--endpoint", store.endpoint, "--data", data],
		{ cwd: folder, environment: { ...s3_credentials, AWS_SECRET_ACCESS_KEY: "wrong" } },
	);
	assert.equal(stranger.code, 1);
	assert.match(stranger.stderr, /could not be written/);
	assert.equal(
		(await runCli(["audit", "export", "s3://x", "--data", data], { cwd: folder })).code,
		2,
	);
});
