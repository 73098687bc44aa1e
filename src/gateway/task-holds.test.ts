import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { atPlace, baseKey } from "../hosting/instance-key.ts";
import { LeaseCount } from "../hosting/lease.ts";
import type { Upstream } from "../upstreams/driver.ts";
import { TaskHolds, task_hold_ms_max, task_holds_per_instance_max } from "./task-holds.ts";

const owners = ["session:a", "person:p"];

/** Instances of one server, and what keeps each awake. */
function setUp(places = 1) {
	const clock = new FakeClock();
	const holds = new TaskHolds(clock);
	const instances = Array.from({ length: places }, (_, place) => {
		const owner = { onBack: () => undefined, onQuestion: () => undefined };
		const key = atPlace(baseKey("s"), place);
		return new LeaseCount(key, {} as Upstream, owner);
	});
	/** A call that is answered with what a task is doing, and is over then. */
	const tell = (
		task_id: string,
		{ place = 0, status = "working", ttl_ms = undefined as number | undefined, by = owners } = {},
	) => {
		const lease = (instances[place] as LeaseCount).take({ kind: "call" });
		holds.onNews(lease, by, { task_id, status, ttl_ms });
		lease.release();
	};
	const held = () => instances.map(({ count }) => count);
	return { clock, holds, instances, tell, held };
}

test("a task keeps its instance awake after its call, until it is over", () => {
	for (const status of ["completed", "failed", "cancelled"]) {
		const { holds, tell, held } = setUp();
		tell("t");
		tell("t", { status: "input_required" });
		assert.deepEqual([held(), holds.count], [[1], 1]);
		tell("t", { status });
		assert.deepEqual([held(), holds.count], [[0], 0]);
		tell("t", { status });
		assert.deepEqual(held(), [0]);
		assert.equal(holds.find(owners, "s", "t"), undefined);
	}
});

test("the time of a task counts from when it was first heard of", async () => {
	const { clock, tell, held } = setUp();
	tell("t", { ttl_ms: 1000 });
	await clock.advance(900);
	tell("t", { ttl_ms: 1000 });
	await clock.advance(99);
	assert.deepEqual(held(), [1]);
	await clock.advance(1);
	assert.deepEqual(held(), [0]);
	assert.equal(clock.pending, 0);
});

test("no task keeps anything awake for longer than a day", async () => {
	for (const ttl_ms of [undefined, Number.MAX_SAFE_INTEGER]) {
		const { clock, tell, held } = setUp();
		tell("t", { ttl_ms });
		await clock.advance(task_hold_ms_max - 1);
		assert.deepEqual(held(), [1]);
		await clock.advance(1);
		assert.deepEqual(held(), [0]);
	}
});

test("at most so many tasks of one instance are remembered, and the oldest go first", () => {
	const { holds, tell, held } = setUp(2);
	for (let id = 0; id <= task_holds_per_instance_max; id++) tell(`t${id}`);
	tell("elsewhere", { place: 1 });
	assert.deepEqual(held(), [task_holds_per_instance_max, 1]);
	assert.equal(holds.find(owners, "s", "t0"), undefined);
	assert.notEqual(holds.find(owners, "s", "t1"), undefined);
});

test("what is asked about a task goes to the instance that made it for this client", () => {
	const { holds, tell, instances } = setUp(2);
	tell("same", { place: 0, by: ["session:a", "person:p"] });
	tell("same", { place: 1, by: ["session:b", "person:p"] });
	const keyAt = (place: number) => (instances[place] as LeaseCount).key;
	assert.equal(holds.find(["session:a", "person:p"], "s", "same"), keyAt(0));
	assert.equal(holds.find(["session:b", "person:p"], "s", "same"), keyAt(1));
	assert.equal(holds.find(["session:c", "person:p"], "s", "same"), keyAt(1));
	assert.equal(holds.find(["session:a"], "other", "same"), undefined);
	assert.equal(holds.find(["person:q"], "s", "same"), undefined);
	tell("same", { place: 0, status: "completed" });
	assert.equal(holds.find(["session:c", "person:p"], "s", "same"), keyAt(1));
});

test("what a server tells of itself ends the task of that very instance", () => {
	const { holds, tell, held } = setUp(2);
	tell("same", { place: 0 });
	tell("same", { place: 1 });
	const news = (status: string) => ({ task_id: "same", status, ttl_ms: undefined });
	holds.onPush(atPlace(baseKey("s"), 1), news("working"));
	holds.onPush(baseKey("other"), news("completed"));
	assert.deepEqual(held(), [1, 1]);
	holds.onPush(atPlace(baseKey("s"), 1), news("completed"));
	assert.deepEqual(held(), [1, 0]);
});

test("an instance that is retired is let go, and its successor under the same key is not", () => {
	const { holds, tell, held, instances } = setUp(2);
	tell("a", { place: 0 });
	tell("b", { place: 0 });
	tell("c", { place: 1 });
	holds.onRetired((instances[0] as LeaseCount).upstream);
	holds.onRetired({} as Upstream);
	assert.deepEqual(held(), [0, 1]);
});

test("whatever is told in whatever order, every task is held once and all are let go", async () => {
	const event = fc.record({
		task: fc.constantFrom("a", "b", "c"),
		place: fc.nat(1),
		status: fc.constantFrom("working", "input_required", "completed", "failed"),
		ttl_ms: fc.option(fc.nat(5000), { nil: undefined }),
		wait_ms: fc.nat(1500),
		retires: fc.boolean(),
	});
	await fc.assert(
		fc.asyncProperty(fc.array(event, { maxLength: 25 }), async (events) => {
			const { clock, holds, tell, held, instances } = setUp(2);
			for (const { task, place, status, ttl_ms, wait_ms, retires } of events) {
				tell(task, { place, status, ttl_ms });
				if (retires) holds.onRetired((instances[place] as LeaseCount).upstream);
				await clock.advance(wait_ms);
				const counts = held();
				assert.ok(counts.every((count) => count <= 3));
				assert.equal(
					counts.reduce((sum, count) => sum + count, 0),
					holds.count,
				);
				assert.equal(clock.pending, holds.count);
			}
			await clock.advance(task_hold_ms_max);
			assert.deepEqual([held(), holds.count, clock.pending], [[0, 0], 0, 0]);
		}),
		{ numRuns: 60 },
	);
});
