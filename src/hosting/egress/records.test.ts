import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { openTestStore } from "../../../test/support/test-store.ts";
import type { EgressOutcome } from "./ledger.ts";
import { EgressRecords, type EgressStore } from "./records.ts";

const api = { host: "api.example.com", port: 443 };
const evil = { host: "evil.example", port: 80 };

/** Records on a database of their own, and how a gateway that starts after a crash sees them. */
async function setUp(context: TestContext) {
	const clock = new FakeClock();
	const store = await openTestStore(clock);
	context.after(() => store.database.close());
	const around: EgressStore = {
		clock,
		writer: store.writer,
		repository: store.repositories.egress,
	};
	const afterCrash = async () => {
		const records = new EgressRecords(around);
		await records.restore();
		return records;
	};
	return { clock, store, around, records: new EgressRecords(around), afterCrash };
}

test("what was asked for is known to the next run, in its order and with its counts", async (context) => {
	const { clock, store, records, afterCrash } = await setUp(context);
	assert.equal(records.note("one", "used", api, 1), true);
	records.note("one", "refused", evil, 2);
	records.note("one", "used", { ...api, port: 80 }, 3);
	records.note("one", "used", api, 4);
	records.note("other", "used", evil, 5);
	await clock.advance(250);
	await store.writer.flush();
	const again = await afterCrash();
	for (const server of ["one", "other"]) {
		assert.deepEqual(again.report(server), records.report(server));
	}
	assert.deepEqual(again.report("one").used[0], {
		...api,
		count: 2,
		first_at_ms: 1,
		last_at_ms: 4,
	});
	// It is counted on, and told as new only once.
	assert.equal(again.note("one", "used", api, 6), false);
	assert.equal(again.report("one").used[0]?.count, 3);
});

test("what is forgotten is forgotten in the store too, and counted on", async (context) => {
	const { store, records, afterCrash } = await setUp(context);
	for (let port = 1; port <= 300; port += 1)
		records.note("one", "refused", { ...evil, port }, port);
	records.flush();
	await store.writer.flush();
	const again = await afterCrash();
	assert.equal(again.report("one").forgotten, 44);
	assert.equal((await store.repositories.egress.hosts()).length, 256);
	again.note("one", "refused", { ...evil, port: 1_000 }, 1_000);
	again.flush();
	await store.writer.flush();
	assert.equal((await store.repositories.egress.hosts()).length, 256);
	assert.equal((await afterCrash()).report("one").forgotten, 45);
});

test("a note costs one write for many, and none without a store", async (context) => {
	const { clock, around } = await setUp(context);
	let writes = 0;
	const writer = { add: () => ++writes > 0 };
	const records = new EgressRecords({ ...around, writer });
	for (let count = 0; count < 500; count += 1) records.note("one", "used", api, count);
	await clock.advance(250);
	assert.equal(writes, 1);
	await clock.advance(10_000);
	assert.equal(writes, 1, "nothing is new");
	const forgetful = new EgressRecords();
	await forgetful.restore();
	forgetful.note("one", "used", api, 1);
	forgetful.flush();
	assert.equal(forgetful.report("one").used.length, 1);
});

test("what the queue has no room for is written later, whole", async (context) => {
	const { clock, store, around, afterCrash } = await setUp(context);
	let is_full = true;
	const writer: EgressStore["writer"] = {
		add: (write, bytes) => !is_full && store.writer.add(write, bytes),
	};
	const records = new EgressRecords({ ...around, writer });
	records.note("one", "used", api, 1);
	records.note("two", "refused", evil, 2);
	await clock.advance(250);
	is_full = false;
	await clock.advance(250);
	await store.writer.flush();
	const again = await afterCrash();
	assert.deepEqual(again.report("one"), records.report("one"));
	assert.deepEqual(again.report("two"), records.report("two"));
});

test("the oldest of too many servers is forgotten in the store as well", async (context) => {
	const { store, records, afterCrash } = await setUp(context);
	for (let number = 0; number <= 4096; number += 1) records.note(`s${number}`, "used", api, number);
	records.flush();
	await store.writer.flush();
	const again = await afterCrash();
	assert.equal(again.report("s0").used.length, 0);
	assert.equal(again.report("s1").used.length, 1);
	// One that comes back begins anew.
	records.note("s0", "refused", evil, 5_000);
	records.flush();
	await store.writer.flush();
	assert.deepEqual((await afterCrash()).report("s0"), records.report("s0"));
});

test("whatever is noted and whenever it is written, the next run knows the same", async (context) => {
	const { store, around, afterCrash } = await setUp(context);
	const note = fc.record({
		server: fc.constantFrom("one", "two"),
		outcome: fc.constantFrom<EgressOutcome>("used", "refused"),
		port: fc.integer({ min: 1, max: 400 }),
		times: fc.integer({ min: 1, max: 300 }),
		writes: fc.boolean(),
	});
	const known = fc.asyncProperty(fc.array(note, { maxLength: 12 }), async (notes) => {
		for (const server of ["one", "two"]) await store.repositories.egress.removeAll(server);
		const records = new EgressRecords(around);
		let now_ms = 0;
		for (const { server, outcome, port, times, writes } of notes) {
			for (let time = 0; time < times; time += 1) {
				now_ms += 1;
				records.note(server, outcome, { host: "a.example", port: port + time }, now_ms);
			}
			if (writes) records.flush();
		}
		records.flush();
		await store.writer.flush();
		const again = await afterCrash();
		for (const server of ["one", "two"]) {
			assert.deepEqual(again.report(server), records.report(server));
		}
	});
	await fc.assert(known, { numRuns: 40 });
});
