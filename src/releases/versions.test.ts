import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { serverPlan } from "../../test/support/fake-house.ts";
import { QuietLog } from "../../test/support/quiet-log.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { openTestStore } from "../../test/support/test-store.ts";
import type { StdioSpec } from "../config/plan.ts";
import { box_key_bytes, SecretBox } from "../secrets/box.ts";
import { newRollout, unprovenVersion } from "./unproven.ts";
import { Versions, versions_kept_max } from "./versions.ts";

async function setUp(context: TestContext) {
	const clock = new FakeClock();
	const store = await openTestStore(clock);
	context.after(() => store.database.close());
	const random = new SeededRandom(3);
	const box = new SecretBox(random.bytes(box_key_bytes), random);
	const log = new QuietLog();
	const open = async () => {
		const versions = new Versions({ clock, log, box, repository: store.repositories.versions });
		await versions.restore();
		return versions;
	};
	return { store, open, versions: await open() };
}

const plan = (version: number) => serverPlan("files", {}, version);

test("versions are numbered from one, and their plans come back as they were", async (context) => {
	const { open, versions } = await setUp(context);
	await versions.add(plan(1), "config", "active");
	await versions.add(plan(2), "deploy", "trial");
	const again = await open();
	assert.deepEqual(
		again.of("files").map(({ number }) => number),
		[1, 2],
	);
	const first = again.find("files", 1);
	assert.ok(first !== undefined);
	assert.deepEqual(again.planOf(first), JSON.parse(JSON.stringify(plan(1))));
});

test("what is stored of a plan shows nothing of it", async (context) => {
	const { store, versions } = await setUp(context);
	const spec: StdioSpec = {
		driver: "stdio",
		command: "run",
		args: [],
		env: { TOKEN: "very-secret" },
		cwd: "/",
	};
	await versions.add({ ...plan(1), spec }, "config", "active");
	const [stored] = await store.repositories.versions.load();
	assert.doesNotMatch(JSON.stringify(stored), /very-secret/);
});

test("one version at a time is active; the one before is what a rollback goes to", async (context) => {
	const { versions } = await setUp(context);
	await versions.add(plan(1), "config", "active");
	await versions.add(plan(2), "config", "trial");
	await versions.change("files", 2, { state: "failed", reason: "It broke." });
	await versions.add(plan(3), "config", "trial");
	await versions.activate("files", 3, "The configuration changed.");
	assert.equal(versions.active("files")?.number, 3);
	assert.equal(versions.previous("files")?.number, 1, "a version that failed is not gone back to");
	assert.equal(versions.find("files", 1)?.reason, "The configuration changed.");
	await versions.activate("files", 1);
	assert.equal(versions.active("files")?.number, 1);
	assert.equal(versions.previous("files"), undefined);
});

test("a trial that a run of the gateway did not finish has failed", async (context) => {
	const { open, versions } = await setUp(context);
	await versions.add(plan(1), "config", "active");
	await versions.add(plan(2), "config", "trial");
	await versions.saveRollout(newRollout(plan(2), 2, {}));
	const again = await open();
	await again.failTrials(() => false);
	assert.equal(again.find("files", 2)?.state, "failed");
	assert.match(again.find("files", 2)?.reason ?? "", /gateway ended/);
	assert.equal(again.active("files")?.number, 1);
	assert.equal(again.rollout("files"), undefined);
});

test("a trial that this run goes on with keeps how far it was", async (context) => {
	const { open, versions } = await setUp(context);
	await versions.add(plan(1), "config", "active");
	await versions.add(plan(2), "config", "trial");
	const progress = { ...newRollout(plan(2), 2, { percent: 10 }), new_calls: 7, new_failed: 1 };
	await versions.saveRollout(progress);
	await versions.saveRollout(newRollout(serverPlan("gone", {}, 1), 4, {}));
	const again = await open();
	await again.failTrials(({ server }) => server === "files");
	assert.equal(again.find("files", 2)?.state, "trial");
	assert.deepEqual((await open()).rollout("files"), progress);
	assert.equal((await open()).rollout("gone"), undefined, "its version is not there");
});

test("a pin outlives the gateway, until it is removed", async (context) => {
	const { open, versions } = await setUp(context);
	const pin = { server: "files", number: 1, config_fingerprint: "f" };
	await versions.setPin(pin);
	assert.deepEqual((await open()).pin("files"), pin);
	await versions.removePin("files");
	assert.equal((await open()).pin("files"), undefined);
});

test("the oldest versions make room, but never what runs", async (context) => {
	const { open, versions } = await setUp(context);
	await versions.add(plan(1), "config", "active");
	for (let number = 2; number <= versions_kept_max + 5; number += 1) {
		await versions.add(plan(number), "config", "failed");
	}
	assert.equal(versions.find("files", 1)?.state, "active");
	await versions.activate("files", versions_kept_max + 5);
	await versions.add(plan(99), "config", "failed");
	assert.equal(versions.of("files").length, versions_kept_max);
	assert.deepEqual(
		(await open()).of("files").map(({ number }) => number),
		versions.of("files").map(({ number }) => number),
	);
});

test("what the configuration asks for has to prove itself where it was on its way or given up", async (context) => {
	const { versions } = await setUp(context);
	assert.equal(
		unprovenVersion(versions, plan(1)),
		undefined,
		"a server that is new starts at once",
	);
	await versions.add(plan(1), "config", "active");
	assert.equal(unprovenVersion(versions, plan(1)), undefined, "it has proved itself");
	assert.equal(unprovenVersion(versions, plan(2)), undefined, "nobody has tried it");
	await versions.add(plan(2), "config", "trial");
	const found = unprovenVersion(versions, plan(2));
	assert.deepEqual([found?.version.number, found?.live.fingerprint], [2, plan(1).fingerprint]);
	assert.equal(
		unprovenVersion(versions, plan(3)),
		undefined,
		"the configuration is another by now",
	);
	await versions.change("files", 2, { state: "failed", reason: "It broke." });
	assert.equal(unprovenVersion(versions, plan(2))?.version.number, 2);
	await versions.add(plan(1), "deploy", "failed");
	assert.equal(unprovenVersion(versions, plan(1)), undefined, "what runs is the same");
	await versions.add(plan(4), "promote", "trial");
	assert.equal(unprovenVersion(versions, plan(4)), undefined, "a fork is not promoted by a start");
});
