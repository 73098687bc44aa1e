import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { succeed } from "../../src/lib/result.ts";
import { fileStore } from "../../src/secrets/master-stores.ts";
import { Vault } from "../../src/secrets/vault.ts";
import { openDatabase } from "../../src/store/database.ts";
import { SqlSecretRepository } from "../../src/store/secret-repository.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { tempFolder } from "../support/temp-folder.ts";

const program = fileURLToPath(new URL("../support/rotating-vault.ts", import.meta.url));
const kills = 60;
const names = Array.from({ length: 40 }, (_, index) => `secret-${index}`);
const everybody = { tenant: "", user: "" };

/** Opens the vault of a folder as the next start would, for one piece of work. */
async function withVault(
	folder: string,
	work: (vault: Vault, keys: () => Promise<number>) => Promise<void>,
) {
	const database = await openDatabase({ path: join(folder, "moorage.db"), clock: systemClock });
	assert.ok(database.ok);
	const rows = new SqlSecretRepository(database.value.connection);
	const master = fileStore(join(folder, "keys", "master-key"), systemRandom);
	try {
		const vault = new Vault({ rows, master, clock: systemClock, random: systemRandom });
		await work(vault, async () => (await rows.keys()).length);
	} finally {
		await database.value.close();
	}
}

test("a process that is killed while it takes another master key loses no value, wherever it was", async (t) => {
	const folder = await tempFolder(t);
	const random = new SeededRandom(9);
	await withVault(folder, async (vault) => {
		for (const name of names) assert.ok((await vault.set(name, everybody, `value of ${name}`)).ok);
	});
	let interrupted = 0;
	for (let kill = 0; kill < kills; kill += 1) {
		const child = spawn(process.execPath, [program, folder], {
			stdio: ["ignore", "pipe", "inherit"],
		});
		const exited = once(child, "exit");
		try {
			// After the first rotation has told that it is done, somewhere in one of the next.
			await once(child.stdout, "data");
			child.stdout.resume();
			const until_ms = performance.now() + random.bytes(1).readUInt8() / 8;
			while (performance.now() < until_ms) await new Promise((resolve) => setImmediate(resolve));
		} finally {
			child.kill("SIGKILL");
			const [, signal] = (await exited) as [number | null, string | null];
			assert.equal(signal, "SIGKILL", "it was at it until then");
		}
		await withVault(folder, async (vault, keys) => {
			if ((await keys()) > 1) interrupted += 1;
			for (const name of names) {
				const value = await vault.get(name, { owner: {}, server: "one" });
				assert.deepEqual(value, succeed(`value of ${name}`), `kill ${kill}`);
			}
			assert.equal(await keys(), 1, "what was left is sealed with the new key");
		});
	}
	assert.ok(interrupted > 0, "some of the rotations were in the middle of it");
});
