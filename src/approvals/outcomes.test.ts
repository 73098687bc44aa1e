import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { openTestStore } from "../../test/support/test-store.ts";
import { box_key_bytes, SecretBox } from "../secrets/box.ts";
import { type Outcome, Outcomes } from "./outcomes.ts";

async function setUp(t: TestContext) {
	const clock = new FakeClock();
	const random = new SeededRandom(3);
	const store = await openTestStore(clock);
	t.after(() => store.database.close());
	const { approvals: repository } = store.repositories;
	const make = () => {
		const box = new SecretBox(random.bytes(box_key_bytes), random);
		return new Outcomes({ clock, box, repository });
	};
	return { clock, repository, make };
}

const outcome: Outcome = { kind: "result", json: '{"content":[{"text":"hidden-answer"}]}' };

test("what a call came to is kept sealed, and opens only for its own approval", async (t) => {
	const { clock, repository, make } = await setUp(t);
	const outcomes = make();
	await outcomes.keep("a", outcome, clock.now() + 10);
	assert.deepEqual(await outcomes.find("a"), outcome);
	const stored = (await repository.result("a")) ?? assert.fail("it is stored");
	assert.doesNotMatch(JSON.stringify(stored), /hidden/);
	await repository.keepResult({ ...stored, id: "b" });
	assert.equal(await outcomes.find("b"), undefined);
	assert.equal(await make().find("a"), undefined, "nothing opens with another key");
	assert.equal(await outcomes.find("nobody"), undefined);
});

test("it is gone once its time is over, and the next one takes it out of the store", async (t) => {
	const { clock, repository, make } = await setUp(t);
	const outcomes = make();
	await outcomes.keep("a", outcome, clock.now() + 10);
	await clock.advance(11);
	assert.equal(await outcomes.find("a"), undefined);
	assert.notEqual(await repository.result("a"), undefined);
	await outcomes.keep("b", { kind: "cancelled" }, clock.now() + 10);
	assert.equal(await repository.result("a"), undefined);
	assert.deepEqual(await outcomes.find("b"), { kind: "cancelled" });
});
