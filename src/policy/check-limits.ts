import { hash } from "node:crypto";
import { canonicalJson } from "../config/fingerprint.ts";
import type { LimitPart, LimitPlan } from "../config/policy-plan.ts";
import { formatDuration } from "../config/units.ts";
import type { Principal } from "../identity/principal.ts";
import type { Clock } from "../lib/clock.ts";
import { TokenBuckets } from "../lib/token-buckets.ts";
import { allowed, type Check, type CheckedCall, type Held, type Verdict } from "./check.ts";
import type { CurrentPolicy } from "./current-policy.ts";
import { InFlight } from "./in-flight.ts";
import type { Rule } from "./rules.ts";

/** When a call is over nobody knows: this is how soon one that was refused may try again. */
const at_once_retry_ms = 1_000;
/** Arguments up to this length are compared as they are, longer ones by their hash. */
const plain_chars_max = 200;
/** Rules whose counts are kept; those of rules that are no longer there go. */
const counters_max = 20_000;

/** What one rule counts. */
interface Counter {
	readonly buckets: TokenBuckets | undefined;
	readonly in_flight: InFlight | undefined;
	/**
	 * What each caller's last call was counted under. Most often the next is of the same tool, and a
	 * text that was made before is found in maps without being put together and hashed anew.
	 */
	readonly keys: WeakMap<Principal, CountedUnder>;
}

/** A key, and all that it may be made of beside the caller. */
interface CountedUnder extends Pick<CheckedCall, "endpoint" | "server" | "name"> {
	readonly key: string;
}

/**
 * How many calls there may be in a time and at one time, as the rules say, and whether one caller
 * makes the same call again and again.
 */
export class LimitsCheck implements Check {
	readonly name = "limits";
	readonly #policy: CurrentPolicy;
	readonly #clock: Clock;
	/** By what the rule says, so that a configuration that is read again does not forget. */
	#counters = new Map<string, Counter>();
	#by_rule = new WeakMap<Rule, Counter>();
	#loops: { readonly about: string; readonly buckets: TokenBuckets } | undefined;

	constructor(policy: CurrentPolicy, clock: Clock) {
		this.#policy = policy;
		this.#clock = clock;
	}

	/**
	 * Nothing is counted of a call that any of the limits refuses. Which rules limit it, the check
	 * of the rules has noted before.
	 */
	check(call: CheckedCall): Verdict {
		const rules = call.notes.limits ?? no_rules;
		const loop = this.#loopKey(call);
		if (rules.length === 0 && loop === undefined) return allowed;
		const keys: string[] = [];
		for (const rule of rules) {
			const key = this.#keyOf(rule, call);
			const refused = this.#refusal(rule, key);
			if (refused !== undefined) return refused;
			keys.push(key);
		}
		if (loop !== undefined) {
			const refused = this.#loopRefusal(loop);
			if (refused !== undefined) return refused;
			this.#loops?.buckets.take(loop);
		}
		let held: Held[] | undefined;
		for (const [at, rule] of rules.entries()) {
			const key = keys[at] ?? "";
			const { buckets, in_flight } = this.#counterOf(rule);
			buckets?.take(key);
			if (in_flight === undefined) continue;
			held ??= [];
			held.push({ in_flight, flight: in_flight.begin(key) });
		}
		if (held !== undefined) call.notes.held = held;
		return allowed;
	}

	done(call: CheckedCall): void {
		for (const { in_flight, flight } of call.notes.held ?? []) in_flight.end(flight);
		call.notes.held = undefined;
	}

	#refusal(rule: Rule, key: string): Verdict | undefined {
		const limit = limitOf(rule);
		const { buckets, in_flight } = this.#counterOf(rule);
		const { at_once } = limit;
		if (at_once !== undefined && (in_flight?.of(key) ?? 0) >= at_once) {
			const words = `at most ${at_once} at one time${perWords(limit.per)}`;
			return limited(rule, words, at_once_retry_ms);
		}
		const wait_ms = buckets?.wait(key) ?? 0;
		if (wait_ms === 0) return undefined;
		const { calls, per_ms } = limit.rate ?? { calls: 1, per_ms: 1 };
		const words = `${calls} in ${formatDuration(per_ms)}${perWords(limit.per)}`;
		return limited(rule, words, Math.ceil(wait_ms));
	}

	#keyOf(rule: Rule, call: CheckedCall): string {
		const { keys } = this.#counterOf(rule);
		const { principal, endpoint, server, name } = call;
		const last = keys.get(principal);
		if (last?.name === name && last?.server === server && last.endpoint === endpoint) {
			return last.key;
		}
		const key = keyOf(rule, call);
		keys.set(principal, { endpoint, server, name, key });
		return key;
	}

	#counterOf(rule: Rule): Counter {
		let counter = this.#by_rule.get(rule);
		if (counter !== undefined) return counter;
		const { name, place: _, when_place: __, ...says } = rule.plan;
		const about = canonicalJson(says);
		counter = this.#counters.get(about);
		if (counter === undefined) {
			const { rate, burst, at_once } = limitOf(rule);
			counter = {
				buckets: rate === undefined ? undefined : new TokenBuckets({ ...rate, burst }, this.#clock),
				in_flight: at_once === undefined ? undefined : new InFlight(),
				keys: new WeakMap(),
			};
			if (this.#counters.size >= counters_max) this.#counters = new Map();
			this.#counters.set(about, counter);
		}
		this.#by_rule.set(rule, counter);
		return counter;
	}

	/** What the same calls of one caller have in common; undefined where nobody looks for loops. */
	#loopKey(call: CheckedCall): string | undefined {
		const { loops } = this.#policy.plan;
		if (loops === undefined || call.method !== "tools/call") return undefined;
		const about = `${loops.calls}/${loops.within_ms}`;
		if (this.#loops?.about !== about) {
			const rate = { calls: loops.calls, per_ms: loops.within_ms, burst: loops.calls };
			this.#loops = { about, buckets: new TokenBuckets(rate, this.#clock) };
		}
		const { principal, server, name } = call;
		// What they say, not how it is written: a space more does not make them others.
		const args = canonicalJson(call.args() ?? {});
		const what = args.length <= plain_chars_max ? args : hash("sha256", args, "base64");
		return `${principal.id}\n${principal.client ?? ""}\n${server}\n${name ?? ""}\n${what}`;
	}

	#loopRefusal(key: string): Verdict | undefined {
		const wait_ms = this.#loops?.buckets.wait(key) ?? 0;
		const { loops } = this.#policy.plan;
		if (wait_ms === 0 || loops === undefined) return undefined;
		const within = formatDuration(loops.within_ms);
		const message =
			`This same call was made ${loops.calls} times within ${within}: it looks like a loop. ` +
			`Making it again will not change its result. Do something else, or wait ${seconds(wait_ms)} s.`;
		const retry_after_ms = Math.ceil(wait_ms);
		return { kind: "limit", code: "loop_detected", message, rule: "loops", retry_after_ms };
	}
}

function limited(rule: Rule, words: string, retry_after_ms: number): Verdict {
	const said = rule.plan.message ?? `The limit "${rule.name}" is reached: ${words}.`;
	const message = `${said} Try again in ${seconds(retry_after_ms)} s.`;
	return { kind: "limit", code: "rate_limited", message, rule: rule.name, retry_after_ms };
}

function seconds(wait_ms: number): number {
	return Math.max(1, Math.ceil(wait_ms / 1000));
}

function perWords(per: readonly LimitPart[]): string {
	return per.length === 0 ? "" : ` for each ${per.join(" and ")}`;
}

const no_rules: readonly Rule[] = [];
const no_limit: LimitPlan = { rate: undefined, burst: 1, at_once: undefined, per: [] };

function limitOf(rule: Rule): LimitPlan {
	return rule.plan.limit ?? no_limit;
}

/** What a call is counted by. Nothing in it is the client's own word. */
function keyOf(rule: Rule, call: CheckedCall): string {
	let key = "";
	for (const part of limitOf(rule).per) key += `${partOf(part, call)}\n`;
	return key;
}

function partOf(part: LimitPart, { principal, endpoint, server, name }: CheckedCall): string {
	switch (part) {
		case "tenant":
			return principal.tenant;
		case "user":
			return principal.id;
		case "client":
			return principal.client ?? "";
		case "endpoint":
			return endpoint;
		case "server":
			return server;
		case "tool":
			return `${server}\t${name ?? ""}`;
	}
}
