import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { fail, succeed } from "../lib/result.ts";
import { cancelledWaiting, stillStarting, unknownServer } from "./failure.ts";
import type { Lease } from "./lease.ts";
import { WaitingLine } from "./waiting-line.ts";

const random = new SeededRandom(1);
const use = { kind: "call" } as const;
const lease = { release: () => {} } as Lease;

function build() {
	const clock = new FakeClock();
	const line = new WaitingLine(clock);
	const answers: string[] = [];
	const never = new AbortController().signal;
	const wait = (name: string, wait_ms: number, signal = never, caller = "ada") => {
		const onTimeout = () => stillStarting(random, "s", wait_ms);
		const onAbort = () => cancelledWaiting(random, "s");
		void line
			.wait({ signal, wait_ms, turns: caller.split("/"), use, onTimeout, onAbort })
			.then((outcome) => {
				answers.push(`${name} ${outcome.ok ? "served" : outcome.problem.code}`);
			});
	};
	return { clock, line, answers, wait };
}

test("callers are served in the order in which they came", async () => {
	const { line, answers, wait } = build();
	for (const name of ["a", "b", "c"]) wait(name, 1_000);
	assert.equal(line.length, 3);
	line.serve(() => succeed(lease));
	await settle();
	assert.deepEqual(answers, ["a served", "b served", "c served"]);
	assert.equal(line.length, 0);
});

/** Serves so many of those who wait. */
function serveSome(line: WaitingLine, count: number): void {
	let left = count;
	line.serve(() => (left-- > 0 ? succeed(lease) : undefined));
}

test("different callers take turns, however many calls one of them has", async () => {
	const { line, answers, wait } = build();
	const never = new AbortController().signal;
	for (const name of ["a1", "a2", "a3", "a4"]) wait(name, 1_000, never, "ada");
	wait("b1", 1_000, never, "bob");
	wait("b2", 1_000, never, "bob");
	wait("c1", 1_000, never, "eve");
	serveSome(line, 3);
	await settle();
	assert.deepEqual(answers, ["a1 served", "b1 served", "c1 served"]);
	serveSome(line, 1);
	wait("c2", 1_000, never, "eve");
	serveSome(line, 9);
	await settle();
	const order = answers.slice(3).map((answer) => answer.split(" ")[0]);
	assert.deepEqual(order, ["a2", "b2", "a3", "c2", "a4"]);
	assert.equal(line.length, 0);
});

test("tenants take turns before the people of one do", async () => {
	const { line, answers, wait } = build();
	const never = new AbortController().signal;
	for (const name of ["a1", "a2", "a3"]) wait(name, 1_000, never, "acme/ana");
	for (const name of ["b1", "b2"]) wait(name, 1_000, never, "acme/bob");
	for (const name of ["e1", "e2"]) wait(name, 1_000, never, "evil/eve");
	serveSome(line, 9);
	await settle();
	const order = answers.map((answer) => answer.split(" ")[0]);
	assert.deepEqual(order, ["a1", "e1", "b1", "e2", "a2", "b2", "a3"]);
});

test("in a line that is full, whoever has the most makes room for those who have less", async () => {
	const { line, answers, wait } = build();
	const never = new AbortController().signal;
	for (const name of ["a1", "a2", "a3"]) wait(name, 1_000, never, "acme/ana");
	const full = () => unknownServer(random, "s");
	assert.ok(line.makeRoom(["evil", "eve"], full));
	wait("e1", 1_000, never, "evil/eve");
	assert.ok(!line.makeRoom(["acme", "ana"], full));
	assert.ok(!line.makeRoom(["evil", "eve"], full));
	await settle();
	assert.deepEqual(answers, ["a3 server_unknown"]);
	assert.equal(line.length, 3);
});

test("no caller waits for more than one call of each of the others", async () => {
	const arrivals = fc.array(fc.constantFrom("ada", "bob", "eve"), { maxLength: 40 });
	await fc.assert(
		fc.asyncProperty(arrivals, async (callers) => {
			const { line, answers, wait } = build();
			const never = new AbortController().signal;
			for (const caller of callers) wait(caller, 1_000, never, caller);
			serveSome(line, 99);
			await settle();
			const served = answers.map((answer) => answer.split(" ")[0]);
			const left = new Map<string, number>();
			for (const caller of callers) left.set(caller, (left.get(caller) ?? 0) + 1);
			// Each round serves everybody who still has a call, once.
			while (served.length > 0) {
				const round = [...left].filter(([, count]) => count > 0).map(([caller]) => caller);
				const next = served.splice(0, round.length);
				assert.deepEqual(new Set(next), new Set(round));
				for (const caller of round) left.set(caller, (left.get(caller) as number) - 1);
			}
		}),
	);
});

test("who has waited for a start may go on waiting for its turn", async () => {
	const { clock, line, answers, wait } = build();
	wait("short", 100);
	wait("long", 900);
	await clock.advance(50);
	line.prolong(500);
	await clock.advance(449);
	assert.deepEqual(answers, []);
	await clock.advance(1);
	assert.deepEqual(answers, ["short server_starting"]);
	await clock.advance(400);
	assert.deepEqual(answers.at(-1), "long server_starting");
	assert.equal(clock.pending, 0);
});

test("those who cannot wait until the next try are refused, the others stay", async () => {
	const { line, answers, wait } = build();
	wait("short", 100);
	wait("long", 1_000);
	line.refuseBefore(500, () => unknownServer(random, "s"));
	await settle();
	assert.deepEqual(answers, ["short server_unknown"]);
	assert.equal(line.length, 1);
	line.refuseBefore(Number.POSITIVE_INFINITY, () => unknownServer(random, "s"));
	await settle();
	assert.deepEqual(answers.at(-1), "long server_unknown");
});

test("whatever comes first, every caller is answered exactly once and no timer is left", async () => {
	const event = fc.oneof(
		fc.record({ kind: fc.constant("wait" as const), wait_ms: fc.nat(100) }),
		fc.record({ kind: fc.constant("abort" as const), who: fc.nat(9) }),
		fc.record({ kind: fc.constant("advance" as const), delay_ms: fc.nat(60) }),
		fc.record({ kind: fc.constant("serve" as const) }),
		fc.record({ kind: fc.constant("refuse" as const), at_ms: fc.nat(200) }),
	);
	await fc.assert(
		fc.asyncProperty(fc.array(event, { maxLength: 25 }), async (events) => {
			const { clock, line, answers, wait } = build();
			const aborts: AbortController[] = [];
			for (const next of events) {
				if (next.kind === "wait") {
					const abort = new AbortController();
					wait(String(aborts.length), next.wait_ms, abort.signal);
					aborts.push(abort);
				} else if (next.kind === "abort") aborts[next.who]?.abort();
				else if (next.kind === "advance") await clock.advance(next.delay_ms);
				else if (next.kind === "serve") line.serve(() => succeed(lease));
				else line.refuseBefore(next.at_ms, () => unknownServer(random, "s"));
			}
			line.serve(() => fail(unknownServer(random, "s")));
			await settle();
			const names = answers.map((answer) => Number(answer.split(" ")[0]));
			assert.deepEqual(
				names.toSorted((a, b) => a - b),
				aborts.map((_, index) => index),
			);
			assert.equal(clock.pending, 0);
		}),
		{ numRuns: 60 },
	);
});

test("who waits for a start waits for its turn first, and then as long as a start may take", async () => {
	const { clock, line, answers } = build();
	const never = new AbortController().signal;
	const ask = (name: string, turn_ms: number | undefined) => {
		const onTimeout = () => stillStarting(random, "s", 0);
		const onAbort = () => cancelledWaiting(random, "s");
		const options = { signal: never, wait_ms: 100, turn_ms, turns: ["ada"], use };
		void line.wait({ ...options, onTimeout, onAbort }).then((outcome) => {
			answers.push(`${name} ${outcome.ok ? "served" : outcome.problem.code}`);
		});
	};
	ask("impatient", undefined);
	ask("patient", 1_000);
	await clock.advance(150);
	await settle();
	assert.deepEqual(answers, ["impatient server_starting"]);
	await clock.advance(350);
	line.begin();
	await clock.advance(99);
	await settle();
	assert.equal(answers.length, 1);
	await clock.advance(1);
	await settle();
	assert.deepEqual(answers, ["impatient server_starting", "patient server_starting"]);
});

test("a start that never has its turn is not waited for without end", async () => {
	const { clock, line, answers } = build();
	const never = new AbortController().signal;
	const onTimeout = () => stillStarting(random, "s", 0);
	const onAbort = () => cancelledWaiting(random, "s");
	const options = { signal: never, wait_ms: 100, turn_ms: 1_000, turns: ["ada"], use };
	void line.wait({ ...options, onTimeout, onAbort }).then((outcome) => {
		answers.push(outcome.ok ? "served" : outcome.problem.code);
	});
	await clock.advance(999);
	await settle();
	assert.deepEqual(answers, []);
	await clock.advance(1);
	line.begin();
	await settle();
	assert.deepEqual(answers, ["server_starting"]);
});
