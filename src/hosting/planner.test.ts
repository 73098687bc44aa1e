import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { HealthPlan, IdlePlan } from "../config/plan.ts";
import { baseKey, type InstanceKey, isBaseKey, keyText } from "./instance-key.ts";
import {
	type PresentServer,
	type PresentSlot,
	planSteps,
	type Step,
	slot_kept_ms,
	spare_kept_ms,
	type WantedServer,
} from "./planner.ts";

const now_ms = 1_000_000;
const prepared = { state: "stopped", generation: 1, retry_at_ms: undefined } as const;
const always: IdlePlan = {
	keep: "always",
	freeze_ms: 30,
	reclaim_ms: 300,
	stop_ms: 900,
	warm_at: [],
	warm_on_list: false,
};
const on_demand: IdlePlan = { ...always, keep: "on-demand" };
const unasked: HealthPlan = { ping_ms: undefined, fails_max: 3 };
const wanted: WantedServer = {
	name: "s",
	generation: 1,
	standing: false,
	idle: always,
	health: unasked,
	warm_at_ms: undefined,
};
const base = baseKey("s");
const other: InstanceKey = { server: "s", scope_key: "ada", capabilities: "{}" };

function slot(change: Partial<PresentSlot> = {}): PresentSlot {
	return {
		key: base,
		state: "stopped",
		generation: 1,
		unused_since_ms: now_ms,
		can_freeze: true,
		reclaimed: false,
		pulse: undefined,
		spare: false,
		wanted: true,
		waiting: 0,
		retry_at_ms: undefined,
		asked_at_ms: now_ms,
		...change,
	};
}

function server(change: Partial<PresentServer> = {}): PresentServer {
	return { name: "s", preparation: prepared, slots: [], retired: [], ...change };
}

function steps(target: WantedServer | undefined, present: PresentServer): readonly Step[] {
	return planSteps(target === undefined ? [] : [target], [present], now_ms).steps;
}

test("a declared server is prepared and nothing else", () => {
	const preparation = { state: "declared", generation: 1, retry_at_ms: undefined } as const;
	const eager: WantedServer = { ...wanted, standing: true };
	const present = server({ preparation, slots: [slot({ waiting: 1 })] });
	assert.deepEqual(steps(eager, present), [{ kind: "resolve", server: "s" }]);
});

test("an eager server starts with the base key once it is prepared", () => {
	const eager: WantedServer = { ...wanted, standing: true };
	assert.deepEqual(steps(eager, server()), [{ kind: "start", server: "s", key: base }]);
	assert.deepEqual(steps(wanted, server()), []);
});

test("of a server that is off nothing is prepared, started or warmed, and what runs is left", () => {
	const off: WantedServer = { ...wanted, standing: true, off: true, warm_at_ms: now_ms };
	const declared = { state: "declared", generation: 1, retry_at_ms: undefined } as const;
	assert.deepEqual(steps(off, server({ preparation: declared })), []);
	assert.deepEqual(steps(off, server()), []);
	assert.deepEqual(steps(off, server({ slots: [slot({ waiting: 1 })] })), []);
	const unused = slot({ state: "ready", unused_since_ms: now_ms - 40 });
	assert.deepEqual(steps({ ...off, idle: on_demand }, server({ slots: [unused] })), [
		{ kind: "freeze", server: "s", key: base },
	]);
	assert.deepEqual(steps(off, server({ slots: [slot({ state: "starting" })] })), [
		{ kind: "abort", server: "s", key: base },
	]);
});

test("a failed preparation is tried again when its time has come", () => {
	const failed = { state: "failed", generation: 1, retry_at_ms: now_ms + 5 } as const;
	const waiting = planSteps([wanted], [server({ preparation: failed })], now_ms);
	assert.deepEqual(waiting, { steps: [], wake_at_ms: now_ms + 5 });
	const due = planSteps([wanted], [server({ preparation: failed })], now_ms + 5);
	assert.deepEqual(due, { steps: [{ kind: "resolve", server: "s" }], wake_at_ms: undefined });
});

test("a slot waits for its next try and then starts", () => {
	for (const state of ["stopped", "failed"] as const) {
		const present = server({ slots: [slot({ state, retry_at_ms: now_ms + 700 })] });
		const early = planSteps([wanted], [present], now_ms);
		assert.deepEqual(early, { steps: [], wake_at_ms: now_ms + 700 });
		const due = planSteps([wanted], [present], now_ms + 700);
		assert.deepEqual(due.steps, [{ kind: "start", server: "s", key: base }]);
	}
});

test("a new generation is prepared anew and ends what runs of the old one", () => {
	const newer: WantedServer = { ...wanted, generation: 2 };
	const present = server({
		slots: [slot({ state: "ready" }), slot({ key: other, state: "starting" })],
	});
	assert.deepEqual(steps(newer, present), [
		{ kind: "resolve", server: "s" },
		{ kind: "retire", server: "s", key: base },
		{ kind: "abort", server: "s", key: other },
	]);
});

test("a start that is being given up is waited for before the next one", () => {
	const present = server({ slots: [slot({ state: "draining", waiting: 3 })] });
	assert.deepEqual(steps(wanted, present), []);
});

test("of a server that is gone everything ends, calls in flight up to their deadline", () => {
	const present = server({
		slots: [
			slot({ state: "ready" }),
			slot({ key: other, state: "starting" }),
			slot({ key: { ...other, scope_key: "bob" }, state: "failed" }),
		],
		retired: [
			{ id: 1, leases: 2, close_at_ms: now_ms + 9 },
			{ id: 2, leases: 0, close_at_ms: now_ms + 99 },
			{ id: 3, leases: 1, close_at_ms: now_ms },
		],
	});
	const plan = planSteps([], [present], now_ms);
	assert.deepEqual(
		plan.steps.map((step) => step.kind),
		["close", "close", "retire", "abort", "drop"],
	);
	assert.deepEqual(
		plan.steps.flatMap((step) => (step.kind === "close" ? [step.instance] : [])),
		[2, 3],
	);
	assert.equal(plan.wake_at_ms, now_ms + 9);
});

test("a slot that nobody wants ends, unless calls wait for it or it starts eagerly", () => {
	const unwanted = slot({ wanted: false, state: "ready" });
	const eager: WantedServer = { ...wanted, standing: true };
	assert.deepEqual(steps(wanted, server({ slots: [unwanted] })), [
		{ kind: "retire", server: "s", key: base },
	]);
	assert.deepEqual(steps(wanted, server({ slots: [{ ...unwanted, waiting: 1 }] })), []);
	assert.deepEqual(steps(eager, server({ slots: [unwanted] })), []);
});

test("an instance for one caller is not restarted for ever, the base instance is", () => {
	const asked_at_ms = now_ms - slot_kept_ms;
	const retry_at_ms = now_ms + 10;
	const present = server({
		slots: [
			slot({ state: "failed", asked_at_ms, retry_at_ms }),
			slot({ key: other, state: "failed", asked_at_ms, retry_at_ms }),
		],
	});
	const plan = planSteps([wanted], [present], now_ms);
	assert.deepEqual(plan.steps, [{ kind: "drop", server: "s", key: other }]);
	assert.equal(plan.wake_at_ms, retry_at_ms);
});

/** The steps for one unused slot, and when to look again. */
function rest(idle: Partial<IdlePlan>, change: Partial<PresentSlot>, unused_ms: number) {
	const target = { ...wanted, idle: { ...on_demand, ...idle } };
	const unused_since_ms = now_ms - unused_ms;
	const present = server({ slots: [slot({ state: "ready", unused_since_ms, ...change })] });
	const { steps: found, wake_at_ms } = planSteps([target], [present], now_ms);
	return { kinds: found.map(({ kind }) => kind), in_ms: (wake_at_ms ?? Number.NaN) - now_ms };
}

test("what is not used is frozen, then gives its memory back, then ends", () => {
	assert.deepEqual(rest({}, {}, 29), { kinds: [], in_ms: 1 });
	assert.deepEqual(rest({}, {}, 30).kinds, ["freeze"]);
	assert.deepEqual(rest({}, { state: "frozen" }, 30), { kinds: [], in_ms: 270 });
	assert.deepEqual(rest({}, { state: "frozen" }, 300).kinds, ["reclaim"]);
	const reclaimed = { state: "frozen", reclaimed: true } as const;
	assert.deepEqual(rest({}, reclaimed, 300), { kinds: [], in_ms: 600 });
	assert.deepEqual(rest({}, reclaimed, 899).kinds, []);
	assert.deepEqual(rest({}, reclaimed, 900).kinds, ["stop"]);
});

test("steps of the ladder that are not wanted or not possible are left out", () => {
	assert.deepEqual(rest({}, { can_freeze: false }, 500), { kinds: [], in_ms: 400 });
	assert.deepEqual(rest({}, { can_freeze: false }, 900).kinds, ["stop"]);
	assert.deepEqual(rest({ freeze_ms: undefined }, {}, 899).kinds, []);
	assert.deepEqual(rest({ reclaim_ms: undefined }, { state: "frozen" }, 899).kinds, []);
	assert.deepEqual(rest({ stop_ms: undefined }, { state: "frozen", reclaimed: true }, 9e9), {
		kinds: [],
		in_ms: Number.NaN,
	});
	// A ladder in which the last step comes first has only that one.
	assert.deepEqual(rest({ stop_ms: 10 }, {}, 10).kinds, ["stop"]);
});

test("`warm` is frozen and never ends, `always` stays awake", () => {
	assert.deepEqual(rest({ keep: "warm" }, {}, 9e9).kinds, ["freeze"]);
	assert.deepEqual(rest({ keep: "warm" }, { state: "frozen", reclaimed: true }, 9e9).kinds, []);
	assert.deepEqual(rest({ keep: "always" }, {}, 9e9), { kinds: [], in_ms: Number.NaN });
});

test("an instance beside the replicas ends soon, whatever the others do", () => {
	const spare = { spare: true } as const;
	for (const keep of ["always", "warm", "on-demand"] as const) {
		const idle = { keep, freeze_ms: undefined, stop_ms: undefined };
		assert.deepEqual(rest(idle, spare, spare_kept_ms - 1), { kinds: [], in_ms: 1 });
		assert.deepEqual(rest(idle, spare, spare_kept_ms).kinds, ["stop"]);
	}
	assert.deepEqual(rest({}, spare, 900).kinds, ["stop"]);
	assert.deepEqual(rest({}, { ...spare, unused_since_ms: undefined }, 9e9).kinds, []);
});

test("what is in use stays awake and is looked at again in time", () => {
	const used = { unused_since_ms: undefined };
	assert.deepEqual(rest({}, used, 0), { kinds: [], in_ms: 30 });
	assert.deepEqual(rest({}, { ...used, can_freeze: false }, 0), { kinds: [], in_ms: 900 });
	assert.deepEqual(rest({ freeze_ms: 0, stop_ms: 0 }, used, 0).kinds, []);
});

test("an instance that runs although nobody asks for it is frozen, and never ended", () => {
	const target = { ...wanted, standing: true, idle: on_demand };
	const long_ago = { unused_since_ms: now_ms - 9e9 };
	assert.deepEqual(steps(target, server({ slots: [slot({ state: "ready", ...long_ago })] })), [
		{ kind: "freeze", server: "s", key: base },
	]);
	const asleep = slot({ state: "frozen", reclaimed: true, ...long_ago });
	assert.deepEqual(steps(target, server({ slots: [asleep] })), []);
	const others = slot({ state: "frozen", key: other, ...long_ago });
	assert.deepEqual(steps(target, server({ slots: [asleep, others] })), [
		{ kind: "stop", server: "s", key: other },
	]);
});

test("what failed is tried again only as long as it would not have gone to sleep", () => {
	const failed = (asked_ms: number, change: Partial<PresentSlot> = {}) =>
		server({ slots: [slot({ state: "failed", asked_at_ms: now_ms - asked_ms, ...change })] });
	const target = { ...wanted, idle: on_demand };
	assert.deepEqual(steps(target, failed(899)), [{ kind: "start", server: "s", key: base }]);
	assert.deepEqual(steps(target, failed(900)), []);
	assert.equal(steps(target, failed(900, { waiting: 1 })).length, 1);
	assert.equal(steps({ ...target, standing: true }, failed(900)).length, 1);
	assert.equal(steps(wanted, failed(900)).length, 1);
});

const names = ["a", "b", "c"] as const;
const arbitrary_time = fc.option(fc.integer({ min: now_ms - 50, max: now_ms + 50 }), {
	nil: undefined,
});
const arbitrary_wanted = fc.record({
	generation: fc.integer({ min: 1, max: 3 }),
	standing: fc.boolean(),
	idle: fc.record({
		keep: fc.constantFrom<IdlePlan["keep"][]>("always", "warm", "on-demand"),
		freeze_ms: fc.constantFrom(undefined, 1, 30, 90),
		reclaim_ms: fc.constantFrom(undefined, 1, 50, 90),
		stop_ms: fc.constantFrom(undefined, 1, 30, 90),
		warm_at: fc.constant([]),
		warm_on_list: fc.boolean(),
	}),
	health: fc.record({
		ping_ms: fc.constantFrom(undefined, 1, 40),
		fails_max: fc.integer({ min: 1, max: 3 }),
	}),
	warm_at_ms: fc.constantFrom(undefined, now_ms + 9),
});

const arbitrary_pulse = fc.record({
	since_ms: fc.integer({ min: now_ms - 60, max: now_ms }),
	asking: fc.boolean(),
	unanswered: fc.nat(3),
});

function arbitrarySlot(name: string) {
	return fc.record({
		key: fc.record({
			server: fc.constant(name),
			scope_key: fc.constantFrom("", "ada", "bob"),
			capabilities: fc.constantFrom("{}", '{"roots":{}}'),
		}),
		state: fc.constantFrom<PresentSlot["state"][]>(
			"stopped",
			"starting",
			"ready",
			"frozen",
			"draining",
			"failed",
		),
		unused_since_ms: fc.option(fc.integer({ min: now_ms - 100, max: now_ms }), { nil: undefined }),
		can_freeze: fc.boolean(),
		reclaimed: fc.boolean(),
		pulse: fc.option(arbitrary_pulse, { nil: undefined }),
		spare: fc.boolean(),
		generation: fc.integer({ min: 1, max: 3 }),
		wanted: fc.boolean(),
		waiting: fc.nat(2),
		retry_at_ms: arbitrary_time,
		asked_at_ms: fc.constantFrom(now_ms - slot_kept_ms - 1, now_ms - 1),
	});
}

function arbitraryServer(name: string) {
	return fc.record({
		name: fc.constant(name),
		preparation: fc.record({
			state: fc.constantFrom<PresentServer["preparation"]["state"][]>(
				"declared",
				"resolving",
				"stopped",
				"failed",
			),
			generation: fc.integer({ min: 1, max: 3 }),
			retry_at_ms: arbitrary_time,
		}),
		slots: fc.uniqueArray(arbitrarySlot(name), {
			maxLength: 5,
			selector: (present) => keyText(present.key),
		}),
		retired: fc.uniqueArray(
			fc.record({
				id: fc.nat(9),
				leases: fc.nat(2),
				close_at_ms: fc.integer({ min: now_ms - 50, max: now_ms + 50 }),
			}),
			{ maxLength: 3, selector: ({ id }) => id },
		),
	});
}

const arbitrary_world = fc.record({
	wanted: fc
		.uniqueArray(fc.constantFrom(...names), { maxLength: 3 })
		.chain((chosen) =>
			fc.tuple(...chosen.map((name) => arbitrary_wanted.map((rest) => ({ name, ...rest })))),
		),
	present: fc.tuple(...names.map(arbitraryServer)),
});

test("servers never influence each other's steps", () => {
	fc.assert(
		fc.property(arbitrary_world, (world) => {
			const together = planSteps(world.wanted, world.present, now_ms).steps;
			const apart = world.present.flatMap((present) => {
				const own = world.wanted.filter(({ name }) => name === present.name);
				return planSteps(own, [present], now_ms).steps;
			});
			assert.deepEqual(together, apart);
		}),
	);
});

test("what starts is wanted, prepared, due and not there yet", () => {
	fc.assert(
		fc.property(arbitrary_world, (world) => {
			for (const step of planSteps(world.wanted, world.present, now_ms).steps) {
				if (step.kind !== "start") continue;
				const target = world.wanted.find(({ name }) => name === step.server);
				const present = world.present.find(({ name }) => name === step.server);
				assert.ok(target !== undefined && present !== undefined);
				assert.equal(present.preparation.state, "stopped");
				assert.equal(present.preparation.generation, target.generation);
				const known = present.slots.find(({ key }) => keyText(key) === keyText(step.key));
				if (known === undefined) assert.ok(isBaseKey(step.key));
				else assert.ok(known.state === "stopped" || known.state === "failed");
				assert.ok((known?.retry_at_ms ?? 0) <= now_ms);
			}
		}),
	);
});

test("only what is not used goes to sleep, and only as far as it may", () => {
	fc.assert(
		fc.property(arbitrary_world, (world) => {
			for (const step of planSteps(world.wanted, world.present, now_ms).steps) {
				if (step.kind !== "freeze" && step.kind !== "reclaim" && step.kind !== "stop") continue;
				const target = world.wanted.find(({ name }) => name === step.server);
				const slots = world.present.find(({ name }) => name === step.server)?.slots;
				const present = slots?.find(({ key }) => keyText(key) === keyText(step.key));
				assert.ok(target !== undefined && present?.unused_since_ms !== undefined);
				const unused_ms = now_ms - present.unused_since_ms;
				const { keep, ...after } = target.idle;
				if (present.spare && step.kind === "stop") continue;
				assert.ok(keep !== "always" || present.spare);
				assert.ok(unused_ms >= (after[`${step.kind}_ms`] ?? Number.POSITIVE_INFINITY));
				if (step.kind === "stop") assert.equal(keep, "on-demand");
				else assert.equal(present.state, step.kind === "freeze" ? "ready" : "frozen");
			}
		}),
	);
});

test("only what is awake is asked for signs of life, when it was silent for long enough", () => {
	fc.assert(
		fc.property(arbitrary_world, (world) => {
			const { steps } = planSteps(world.wanted, world.present, now_ms);
			for (const step of steps) {
				if (step.kind !== "ask" && step.kind !== "give_up") continue;
				const target = world.wanted.find(({ name }) => name === step.server);
				const slots = world.present.find(({ name }) => name === step.server)?.slots;
				const present = slots?.find(({ key }) => keyText(key) === keyText(step.key));
				assert.ok(target?.health.ping_ms !== undefined && present?.pulse !== undefined);
				const { since_ms, asking, unanswered } = present.pulse;
				assert.equal(present.state, "ready");
				assert.equal(unanswered >= target.health.fails_max, step.kind === "give_up");
				if (step.kind === "ask") {
					assert.ok(!asking && now_ms - since_ms >= target.health.ping_ms);
				}
				const same = steps.filter((one) => "key" in one && one.key === step.key);
				assert.deepEqual(same, [step], "it is asked, or something else is done with it");
			}
		}),
	);
});

test("a server is warmed when its time has come and it can be started", () => {
	const target: WantedServer = { ...wanted, warm_at_ms: now_ms + 9 };
	const early = planSteps([target], [server()], now_ms);
	assert.deepEqual(early, { steps: [], wake_at_ms: now_ms + 9 });
	const warm = [{ kind: "warm", server: "s" }];
	assert.deepEqual(planSteps([target], [server()], now_ms + 9).steps, warm);
	const preparation = { state: "resolving", generation: 1, retry_at_ms: undefined } as const;
	assert.deepEqual(planSteps([target], [server({ preparation })], now_ms + 9).steps, []);
});

test("a silent server is looked at again when it is to be asked", () => {
	const target: WantedServer = { ...wanted, health: { ping_ms: 40, fails_max: 2 } };
	const silent = (asking: boolean, unanswered: number) =>
		server({
			slots: [
				slot({
					state: "ready",
					unused_since_ms: undefined,
					pulse: { since_ms: now_ms - 10, asking, unanswered },
				}),
			],
		});
	const plan = (asking: boolean, unanswered: number, at_ms: number) =>
		planSteps([target], [silent(asking, unanswered)], at_ms);
	assert.deepEqual(plan(false, 0, now_ms), { steps: [], wake_at_ms: now_ms + 30 });
	const ask = { kind: "ask", server: "s", key: base } as const;
	assert.deepEqual(plan(false, 1, now_ms + 30).steps, [ask]);
	assert.deepEqual(plan(true, 1, now_ms + 30), { steps: [], wake_at_ms: undefined });
	assert.deepEqual(plan(true, 2, now_ms).steps, [{ ...ask, kind: "give_up" }]);
});

test("a server that is gone is only ever ended", () => {
	fc.assert(
		fc.property(arbitrary_world, (world) => {
			const { steps } = planSteps([], world.present, now_ms);
			assert.ok(steps.every(({ kind }) => kind !== "start" && kind !== "resolve"));
		}),
	);
});

/** What the world looks like when the steps are done and everything goes well. */
function perform(target: WantedServer | undefined, present: PresentServer): PresentServer {
	let { preparation, slots, retired } = present;
	const change = (key: InstanceKey, state: PresentSlot["state"], generation: number) => {
		const known = slots.find((one) => keyText(one.key) === keyText(key));
		const fresh =
			state === "ready" ? { unused_since_ms: now_ms, reclaimed: false, pulse: undefined } : {};
		const next = { ...(known ?? slot({ key })), ...fresh, state, generation };
		slots = [...slots.filter((one) => one !== known), next];
	};
	for (const step of steps(target, present)) {
		switch (step.kind) {
			case "resolve":
				preparation = { ...prepared, generation: target?.generation ?? 0 };
				break;
			case "start":
				change(step.key, "ready", target?.generation ?? 0);
				break;
			case "abort":
			case "give_up":
				change(step.key, "stopped", 0);
				break;
			case "ask": {
				const pulse = { since_ms: now_ms, asking: false, unanswered: 0 };
				slots = slots.map((one) =>
					keyText(one.key) === keyText(step.key) ? { ...one, pulse } : one,
				);
				break;
			}
			case "freeze":
				change(step.key, "frozen", target?.generation ?? 0);
				break;
			case "reclaim":
				slots = slots.map((one) =>
					keyText(one.key) === keyText(step.key) ? { ...one, reclaimed: true } : one,
				);
				break;
			case "stop":
				change(step.key, "stopped", 0);
				slots = slots.map((one) =>
					keyText(one.key) === keyText(step.key) ? { ...one, wanted: false } : one,
				);
				break;
			case "retire":
				change(step.key, "stopped", 0);
				retired = [...retired, { id: 100 + retired.length, leases: 0, close_at_ms: now_ms }];
				break;
			case "close":
				retired = retired.filter(({ id }) => id !== step.instance);
				break;
			case "drop":
				slots = slots.filter(({ key }) => keyText(key) !== keyText(step.key));
				break;
		}
	}
	return { ...present, preparation, slots, retired };
}

test("doing the steps leads to a world in which there is nothing more to do", () => {
	const fresh = (present: PresentServer): PresentServer => ({
		...present,
		// What only time or a driver can change is taken as over.
		preparation: { ...present.preparation, retry_at_ms: undefined },
		retired: present.retired.map((one) => ({ ...one, close_at_ms: now_ms })),
		slots: present.slots.map((one) => ({
			...one,
			retry_at_ms: undefined,
			state: one.state === "draining" ? ("stopped" as const) : one.state,
		})),
	});
	fc.assert(
		fc.property(arbitraryServer("a"), fc.option(arbitrary_wanted), (start, rest) => {
			const target = rest === null ? undefined : { name: "a", ...rest };
			let present = fresh(start);
			if (present.preparation.state === "resolving") {
				present = { ...present, preparation: { ...present.preparation, state: "stopped" } };
			}
			for (let round = 0; round < 6; round++) present = perform(target, present);
			assert.deepEqual(steps(target, present), []);
			if (target === undefined) assert.equal(present.slots.length, 0);
			assert.equal(present.retired.length, 0);
			// A start that was under way already is finished by its driver, not by a step.
			for (const one of present.slots) {
				// What would sleep by now is not started again; its place keeps the reason a while.
				const rests = target?.idle.keep === "on-demand" && one.waiting === 0;
				assert.match(one.state, rests ? /^(?!draining)/ : /^(ready|frozen|starting)$/);
			}
			if (target?.standing === true) {
				assert.ok(present.slots.some(({ key }) => isBaseKey(key)));
			}
		}),
	);
});
