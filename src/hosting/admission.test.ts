import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { admission_hold_ms, type Pass, StartAdmission } from "./admission.ts";

const never = new AbortController().signal;

function collect(admission: StartAdmission) {
	const admitted: string[] = [];
	const passes = new Map<string, Pass>();
	const enter = (name: string, retry = false, signal = never) =>
		admission.enter({ retry, signal }).then((pass) => {
			admitted.push(pass === undefined ? `${name} withdrew` : name);
			if (pass !== undefined) passes.set(name, pass);
		});
	return { admitted, passes, enter };
}

test("only so many start at once, the others in their order as places come free", async () => {
	const admission = new StartAdmission({ clock: new FakeClock(), places_max: 2 });
	const { admitted, passes, enter } = collect(admission);
	for (const name of ["a", "b", "c", "d"]) void enter(name);
	await settle();
	assert.deepEqual(admitted, ["a", "b"]);
	passes.get("b")?.leave();
	passes.get("b")?.leave();
	await settle();
	assert.deepEqual(admitted, ["a", "b", "c"]);
	assert.deepEqual(admission.counts, { under_way: 2, waiting: 1 });
});

test("a start that takes long gives its place to others", async () => {
	const clock = new FakeClock();
	const admission = new StartAdmission({ clock, places_max: 1 });
	const { admitted, enter } = collect(admission);
	void enter("hangs");
	void enter("healthy");
	await clock.advance(admission_hold_ms - 1);
	assert.deepEqual(admitted, ["hangs"]);
	await clock.advance(1);
	assert.deepEqual(admitted, ["hangs", "healthy"]);
});

test("first tries go before repeated ones, which take half of the places at most", async () => {
	const admission = new StartAdmission({ clock: new FakeClock(), places_max: 4 });
	const { admitted, passes, enter } = collect(admission);
	for (const name of ["r1", "r2", "r3"]) void enter(name, true);
	await settle();
	assert.deepEqual(admitted, ["r1", "r2"]);
	void enter("first");
	await settle();
	assert.deepEqual(admitted, ["r1", "r2", "first"]);
	passes.get("r1")?.leave();
	await settle();
	assert.deepEqual(admitted, ["r1", "r2", "first", "r3"]);
});

test("who no longer wants to start leaves the queue and takes no place", async () => {
	const admission = new StartAdmission({ clock: new FakeClock(), places_max: 1 });
	const { admitted, passes, enter } = collect(admission);
	const abort = new AbortController();
	void enter("a");
	void enter("b", false, abort.signal);
	void enter("c");
	void enter("late", false, AbortSignal.abort());
	abort.abort();
	await settle();
	passes.get("a")?.leave();
	await settle();
	assert.deepEqual(admitted.sort(), ["a", "b withdrew", "c", "late withdrew"]);
	assert.deepEqual(admission.counts, { under_way: 1, waiting: 0 });
});

test("there is always at least one place", async () => {
	const admission = new StartAdmission({ clock: new FakeClock(), places_max: 0 });
	const { admitted, enter } = collect(admission);
	void enter("a", true);
	await settle();
	assert.deepEqual(admitted, ["a"]);
});
