import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { system_disk } from "../../src/audit/disk.ts";
import { readHeads } from "../../src/audit/head-file.ts";
import { listSegments } from "../../src/audit/segments.ts";
import { signerOf } from "../../src/audit/signing-key.ts";
import { verifyLog } from "../../src/audit/verify.ts";
import { audit_test_keys } from "../support/audit-keys.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { tempFolder } from "../support/temp-folder.ts";

const program = fileURLToPath(new URL("../support/audit-child.ts", import.meta.url));
const rounds = 200;

/** Lets a gateway's audit write until it has said so many lines, and kills it. */
async function writeUntilKilled(folder: string, first: number, lines_min: number) {
	const child = spawn(process.execPath, [program, folder, String(first)], {
		stdio: ["ignore", "pipe", "pipe"],
	});
	let complaint = "";
	child.stderr.on("data", (chunk: Buffer) => {
		complaint += chunk.toString();
	});
	const exited = once(child, "exit");
	const said: string[] = [];
	for await (const line of createInterface({ input: child.stdout })) {
		said.push(line);
		if (said.length === lines_min) child.kill("SIGKILL");
	}
	assert.deepEqual(await exited, [null, "SIGKILL"], complaint);
	return said;
}

/** Takes the last acknowledged append's last entry away: whatever the head attests. */
async function cutLastEntry(folder: string): Promise<void> {
	const { verifier } = signerOf(audit_test_keys.seed);
	const head = readHeads(folder, system_disk, verifier)?.latest?.seq ?? 0;
	for (const { path, first_seq } of listSegments(folder, system_disk).reverse()) {
		const lines = (await readFile(path, "utf8")).split("\n");
		if (first_seq >= head) await rm(path);
		else await writeFile(path, `${lines.slice(0, head - first_seq).join("\n")}\n`);
		if (first_seq < head) return;
	}
}

test(`after ${rounds} kills every acknowledged entry is there and the audit verifies`, async (t) => {
	const folder = join(await tempFolder(t), "audit");
	const random = new SeededRandom(20_260_101);
	const { verifier } = signerOf(audit_test_keys.seed);
	const acknowledged: string[] = [];
	let torn = 0;
	for (let round = 0; round < rounds; round += 1) {
		const said = await writeUntilKilled(folder, round * 100_000, 1 + random.below(120));
		acknowledged.push(...said);
		const present = new Set<string>();
		const found = verifyLog(folder, {
			disk: system_disk,
			verifier,
			onEntry: (_, { kind, call }) => present.add(`${String(kind)} ${String(call)}`),
		});
		assert.equal(found.problem, undefined, `round ${round}`);
		if (found.torn_bytes > 0) torn += 1;
		// What was written last is missed on its own: here the process was killed for real. The whole
		// log is copied and verified for it, so not after every kill.
		if (round % 10 === 0) {
			const cut = join(folder, "..", "cut");
			await cp(folder, cut, { recursive: true });
			await cutLastEntry(cut);
			assert.equal(verifyLog(cut, { disk: system_disk, verifier }).problem?.kind, "missing");
			await rm(cut, { recursive: true });
		}
		// Everything ever acknowledged, also in rounds before: a recovery may not take any of it.
		for (const entry of acknowledged) assert.ok(present.has(entry), `${entry} in round ${round}`);
		const open = new Set(found.unknown_fates.map(({ call }) => call));
		for (const entry of said) {
			const [kind = "", call = ""] = entry.split(" ");
			if (kind === "outcome") assert.ok(!open.has(call), `${call} has an outcome`);
		}
	}
	t.diagnostic(`${acknowledged.length} acknowledged entries, ${torn} times an append was cut`);
});
