import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import {
	confinement,
	echo,
	makeSpawner,
	startHosted,
	useObstacle,
} from "../../../test/support/hosted-child.ts";
import type { ChildHandle, Hibernation } from "../../upstreams/driver.ts";
import type { ProcessSpawner } from "./spawner.ts";
import { isUsable, parseSwaps, readSwap } from "./swap.ts";

const root = await mkdtemp(join(tmpdir(), "moorage-reclaim-"));
after(() => rm(root, { recursive: true }));

const mib = 1024 ** 2;
const no_group = useObstacle([2, 1], "memory");
const no_swap = isUsable(readSwap()) ? false : "this machine has no swap space";

/** A server that holds some memory, writes all of it anew with each line, and echoes that. */
async function startHolder(spawner: ProcessSpawner): Promise<ChildHandle & { sleep: Hibernation }> {
	const script = `
		globalThis.held = Buffer.alloc(${40 * mib}, 7);
		process.stdin.on("data", (line) => {
			held.fill(line[0]);
			process.stdout.write(line);
		});`;
	const child = await startHosted(spawner, {
		args: ["-e", script],
		confinement: confinement(root, { memory_bytes_max: 512 * mib }),
	});
	await echo(child, "up");
	const sleep = child.hibernation;
	assert(sleep !== undefined);
	return Object.assign(child, { sleep });
}

describe("giving memory back", { skip: no_group }, () => {
	test("what is awake keeps its memory", async () => {
		await using spawner = await makeSpawner();
		const child = await startHolder(spawner);
		assert.equal(await child.sleep.reclaim(), 0);
	});

	test("without swap nothing is done, and nothing claimed", async (t) => {
		if (no_swap === false) {
			t.skip("this machine has swap space");
			return;
		}
		await using spawner = await makeSpawner();
		const child = await startHolder(spawner);
		assert.equal(await child.sleep.freeze(), true);
		assert.equal(await child.sleep.reclaim(), 0);
		await child.sleep.thaw();
		await echo(child, "awake");
	});

	test("a frozen server gives back what it holds, and has it again when it wakes", {
		skip: no_swap,
	}, async () => {
		await using spawner = await makeSpawner();
		const child = await startHolder(spawner);
		for (let round = 0; round < 2; round += 1) {
			assert.equal(await child.sleep.freeze(), true);
			const used = (await child.sleep.usage())?.memory_bytes ?? 0;
			const bytes = await child.sleep.reclaim();
			const left = (await child.sleep.usage())?.memory_bytes ?? 0;
			assert(left < used, `${used} before, ${left} after`);
			// Most of it: what the kernel still works on may stay.
			assert(bytes > 20 * mib, `${bytes} bytes`);
			assert.equal(await child.sleep.reclaim(), bytes);
			await child.sleep.thaw();
			await echo(child, `awake ${round}`);
		}
		assert.equal(child.end_reason?.(), undefined);
	});

	test("a wake in the middle of it ends it, and the server answers", {
		skip: no_swap,
	}, async () => {
		await using spawner = await makeSpawner();
		const child = await startHolder(spawner);
		for (let round = 0; round < 5; round += 1) {
			assert.equal(await child.sleep.freeze(), true);
			const reclaiming = child.sleep.reclaim();
			await child.sleep.thaw();
			await echo(child, `awake ${round}`);
			assert((await reclaiming) >= 0);
		}
	});

	test("a server can be killed in the middle of it", { skip: no_swap }, async () => {
		await using spawner = await makeSpawner();
		const child = await startHolder(spawner);
		assert.equal(await child.sleep.freeze(), true);
		const reclaiming = child.sleep.reclaim();
		child.kill();
		assert.equal((await child.exited).signal, "SIGKILL");
		assert((await reclaiming) >= 0);
		assert.equal(await child.sleep.reclaim(), 0);
	});
});

test("swap space is added up, and told from compressed memory", () => {
	const head = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
	assert.equal(parseSwaps(head), undefined);
	assert.equal(parseSwaps(""), undefined);
	const file = "/swap\\040file                          file\t\t524284\t\t1024\t\t-2\n";
	const zram = "/dev/zram0                              partition\t1000000\t\t0\t\t100\n";
	assert.deepEqual(parseSwaps(head + file), {
		total_bytes: 524_284 * 1024,
		free_bytes: 523_260 * 1024,
		is_compressed_memory: false,
	});
	assert.equal(parseSwaps(head + zram)?.is_compressed_memory, true);
	assert.equal(parseSwaps(head + file + zram)?.is_compressed_memory, false);
	assert.equal(parseSwaps(head + file + zram)?.total_bytes, 1_524_284 * 1024);
});

test("swap that is nearly full is as good as none", () => {
	const swap = { total_bytes: 512 * mib, is_compressed_memory: false };
	assert.equal(isUsable(undefined), false);
	assert.equal(isUsable({ ...swap, free_bytes: 16 * mib - 1 }), false);
	assert.equal(isUsable({ ...swap, free_bytes: 16 * mib }), true);
});

test("whatever the list of swaps says, what is read from it makes sense", () => {
	const line = fc
		.tuple(fc.constantFrom("/dev/zram0", "/swap", "swap", ""), fc.nat(), fc.nat(), fc.integer())
		.map(([name, size, used, priority]) => `${name}  file ${size} ${used} ${priority}`);
	fc.assert(
		fc.property(fc.array(fc.oneof(line, fc.string()), { maxLength: 5 }), (lines) => {
			const swap = parseSwaps(lines.join("\n"));
			assert(swap === undefined || (swap.free_bytes >= 0 && swap.free_bytes <= swap.total_bytes));
		}),
	);
});
