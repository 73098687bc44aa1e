import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { MemoryLog } from "../../test/support/memory-log.ts";
import type { StoredVersion } from "../store/version-repository.ts";
import { PackageSweep, package_sweep_ms } from "./package-sweep.ts";

function build(load: () => Promise<readonly Partial<StoredVersion>[]>) {
	const clock = new FakeClock();
	const log = new MemoryLog();
	const asked: string[][] = [];
	const sweep = new PackageSweep({
		clock,
		log,
		versions: { load: load as () => Promise<StoredVersion[]> },
		packages: {
			async keep(references) {
				asked.push(references.map(({ digest }) => digest));
				return ["tiny@1.0.0-x"];
			},
		},
	});
	return { clock, log, asked, sweep };
}

test("what any version needs is kept, whether it runs or could be rolled back to", async () => {
	const identities = ['{"digest":"a"}', undefined, '{"digest":"b"}', '{"name":"a program"}'];
	const { asked, sweep } = build(async () => identities.map((identity) => ({ identity })));
	await sweep.tick();
	assert.deepEqual(asked, [["a", "b"]]);
});

test("packages are looked through once an hour", async () => {
	const { asked, clock, sweep } = build(async () => []);
	await sweep.tick();
	await sweep.tick();
	assert.equal(asked.length, 1);
	await clock.advance(package_sweep_ms);
	await sweep.tick();
	assert.equal(asked.length, 2);
});

test("nothing is removed when it is not known what is needed", async () => {
	const { asked, log, sweep } = build(() => Promise.reject(new Error("the store is gone")));
	await sweep.tick();
	assert.deepEqual(asked, []);
	assert.equal(log.lines.filter(({ level }) => level === "warn").length, 1);
});
