import type { RulePlan } from "../config/alert-rules.ts";
import { formatDuration } from "../config/units.ts";
import type { AggregateRow, AggregateWidth, AlertRepository } from "../store/alert-repository.ts";
import { type AggregateKind, minutes_kept_ms, nobody, other_subject } from "./aggregator.ts";
import type { AlertFacts } from "./facts.ts";
import { addEncoded, noLatencies, quantile } from "./latency.ts";
import type { Observation } from "./state.ts";

const minute_ms = 60_000;
const hour_ms = 60 * minute_ms;
const day_ms = 24 * hour_ms;
/** What is usual is not known before this much of it was seen. */
const baseline_least_ms = day_ms;
/** Of a shorter one the hour of the window is missing, and the one that had begun before it. */
const baseline_cut_ms = 2 * hour_ms;
/** Calls without which a p99 of what is usual says nothing. */
const baseline_calls_min = 200;
/** Three times next to nothing is still next to nothing. */
const p99_floor_ms = 50;
const free_bytes_min = 512 * 1024 * 1024;

/** What rules are evaluated with. */
export interface EvaluationContext {
	readonly repository: AlertRepository;
	readonly facts: AlertFacts;
	readonly now_ms: number;
}

/** Every subject that a rule holds for now. Rejects where the store cannot be read. */
export async function evaluate(
	rule: RulePlan,
	context: EvaluationContext,
): Promise<readonly Observation[]> {
	switch (rule.metric) {
		case "error_rate":
			return await errorRate(rule, context);
		case "p99":
			return await latency(rule, context);
		case "calls":
			return await callRate(rule, context);
		case "denied":
			return await denials(rule, context);
		case "unknown_tool":
			return await happened(
				rule,
				context,
				"unknown_tool",
				(count, note) =>
					`${times(count)} something was called that is not offered; the last was ${note}.`,
			);
		case "drift":
			return await happened(
				rule,
				context,
				"drift",
				(_, note) => `Tools are described otherwise: ${note}.`,
			);
		case "evidence_lost":
			return await happened(
				rule,
				context,
				"evidence_lost",
				(count, note) => `${count} lost in the last ${window(rule)}: ${note}.`,
			);
		case "crash_loop":
			return context.facts.crashed().map(({ server, reason }) => ({
				subject: server,
				value: 1,
				threshold: 1,
				summary: `The server "${server}" does not run: ${reason}`,
			}));
		case "expiry":
			return await expiring(rule, context);
		case "disk":
			return await disk(rule, context);
	}
}

async function errorRate(rule: RulePlan, context: EvaluationContext): Promise<Observation[]> {
	const sums = await recent(rule, context, kindOf(rule));
	return sums.flatMap(({ subject, calls, errors }) => {
		const value = errors / calls;
		if (calls < rule.min_count || errors < 2 || value <= rule.over) return [];
		const summary = `${percent(value)} of the calls of ${subject} failed: ${errors} of ${calls} in ${window(rule)}.`;
		return [{ subject, value, threshold: rule.over, summary }];
	});
}

async function latency(rule: RulePlan, context: EvaluationContext): Promise<Observation[]> {
	const { repository, now_ms } = context;
	const range = { kind: kindOf(rule), from_ms: startOf(rule, now_ms), to_ms: end(now_ms) };
	const by_subject = new Map<string, AggregateRow[]>();
	for (const row of await repository.rows({ ...range, width: widthOf(rule) })) {
		if (row.subject === other_subject) continue;
		const rows = by_subject.get(row.subject) ?? [];
		by_subject.set(row.subject, [...rows, row]);
	}
	const found: Observation[] = [];
	for (const [subject, rows] of by_subject) {
		const calls = rows.reduce((sum, row) => sum + row.calls, 0);
		const value = p99(rows);
		if (calls < rule.min_count || value === undefined || value < p99_floor_ms) continue;
		// What goes on now is not what is usual: the hour of the window is left out.
		const to_ms = hourOf(startOf(rule, now_ms));
		const from_ms = hourOf(now_ms - rule.baseline_ms);
		const usual = await repository.rows({ ...range, width: "hour", from_ms, to_ms }, subject);
		if (usual.reduce((sum, row) => sum + row.calls, 0) < baseline_calls_min) continue;
		const base = p99(usual);
		if (base === undefined || value <= rule.over * base) continue;
		const summary = `99 of 100 calls of ${subject} take up to ${milliseconds(value)}; usual are ${milliseconds(base)}.`;
		found.push({ subject, value, threshold: rule.over * base, summary });
	}
	return found;
}

async function callRate(rule: RulePlan, context: EvaluationContext): Promise<Observation[]> {
	const sums = (await recent(rule, context, kindOf(rule))).filter(
		({ calls }) => calls >= rule.min_count,
	);
	if (sums.length === 0) return [];
	const usual = await baseline(rule, context, kindOf(rule));
	return sums.flatMap(({ subject, calls }) => {
		const before = usual.get(subject);
		const least_ms = Math.min(baseline_least_ms, rule.baseline_ms - baseline_cut_ms);
		if (before === undefined || before.age_ms < least_ms) return [];
		const expected = before.per_ms * rule.within_ms;
		const threshold = rule.over * expected;
		if (calls <= threshold) return [];
		const summary = `${subject} made ${calls} calls in ${window(rule)}; usual are ${expected.toFixed(1)}.`;
		return [{ subject, value: calls, threshold, summary }];
	});
}

/** Where nothing is known of what is usual, nothing is: refusals are no part of ordinary work. */
async function denials(rule: RulePlan, context: EvaluationContext): Promise<Observation[]> {
	const sums = (await recent(rule, context, "denied")).filter(
		({ calls }) => calls >= rule.min_count,
	);
	if (sums.length === 0) return [];
	const usual = await baseline(rule, context, "denied");
	const found: Observation[] = [];
	for (const { subject, calls } of sums) {
		const expected = (usual.get(subject)?.per_ms ?? 0) * rule.within_ms;
		const threshold = Math.max(rule.min_count, rule.over * expected);
		if (calls < threshold) continue;
		const note = await lastNote(rule, context, "denied", subject);
		const who = subject === nobody ? "people who are not known" : subject;
		const summary = `${calls} requests of ${who} were refused in ${window(rule)}; the last as ${note}.`;
		found.push({ subject, value: calls, threshold, summary });
	}
	return found;
}

async function happened(
	rule: RulePlan,
	context: EvaluationContext,
	kind: AggregateKind,
	say: (count: number, note: string) => string,
): Promise<Observation[]> {
	const found: Observation[] = [];
	for (const { subject, calls } of await recent(rule, context, kind)) {
		if (calls < rule.min_count) continue;
		const note = await lastNote(rule, context, kind, subject);
		const summary = `${subject}: ${say(calls, note)}`;
		found.push({ subject, value: calls, threshold: rule.min_count, summary });
	}
	return found;
}

/** What is said of each kind before its time and after, and what to do. */
const expiry_words = {
	key: ["expires", "has expired", "Make another one, and remove this one."],
	secret: [
		"reaches its age limit",
		"is past its age limit",
		"Exchange it: `moorage secret rotate`.",
	],
	grant: ["ends and cannot be renewed", "has ended", "Its owner has to authorize it once more."],
	certificate: ["expires", "has expired", "Put another one in its place; it is read at once."],
} as const;

/** A quarter of a life is early enough where the whole is short. */
const life_parts = 4;

async function expiring(
	rule: RulePlan,
	{ facts, now_ms }: EvaluationContext,
): Promise<Observation[]> {
	return (await facts.expiring()).flatMap(({ kind, name, since_ms, expires_at_ms }) => {
		const left_ms = expires_at_ms - now_ms;
		const life_ms = since_ms === undefined ? Number.POSITIVE_INFINITY : expires_at_ms - since_ms;
		const threshold = Math.min(rule.within_ms, life_ms / life_parts);
		// A key that is not missed by then is missed by nobody; an old secret or a certificate that
		// has ended is still in use.
		const is_over = (kind === "key" || kind === "grant") && left_ms < -threshold;
		if (left_ms > threshold || is_over) return [];
		const day = new Date(expires_at_ms).toISOString().slice(0, 16).replace("T", " ");
		const [before, after, next] = expiry_words[kind];
		const verb = left_ms > 0 ? before : after;
		const summary = `The ${kind} "${name}" ${verb}: ${day} UTC. ${next}`;
		return [{ subject: `${kind}/${name}`, value: left_ms, threshold, summary }];
	});
}

async function disk(rule: RulePlan, { facts }: EvaluationContext): Promise<Observation[]> {
	const use = await facts.disk();
	if (use === undefined || use.total_bytes <= 0) return [];
	const value = 1 - use.free_bytes / use.total_bytes;
	if (value <= rule.over && use.free_bytes >= free_bytes_min) return [];
	const free = Math.floor(use.free_bytes / (1024 * 1024));
	const summary = `The disk of ${use.path} is ${percent(value)} full; ${free} MiB are left.`;
	return [{ subject: use.path, value, threshold: rule.over, summary }];
}

async function recent(
	rule: RulePlan,
	{ repository, now_ms }: EvaluationContext,
	kind: AggregateKind,
) {
	const from_ms = startOf(rule, now_ms);
	const range = { width: widthOf(rule), kind, from_ms, to_ms: end(now_ms) };
	const sums = await repository.sums(range);
	return sums.filter(({ subject, calls }) => subject !== other_subject && calls > 0);
}

/** What each subject does in a millisecond as a rule, and how long that has been watched. */
async function baseline(
	rule: RulePlan,
	{ repository, now_ms }: EvaluationContext,
	kind: AggregateKind,
): Promise<ReadonlyMap<string, { readonly per_ms: number; readonly age_ms: number }>> {
	const to_ms = hourOf(startOf(rule, now_ms));
	const from_ms = hourOf(now_ms - rule.baseline_ms);
	const sums = await repository.sums({ width: "hour", kind, from_ms, to_ms });
	return new Map(
		sums.map(({ subject, calls, first_ms }) => {
			const age_ms = to_ms - first_ms;
			return [subject, { per_ms: calls / Math.max(hour_ms, age_ms), age_ms }];
		}),
	);
}

async function lastNote(
	rule: RulePlan,
	{ repository, now_ms }: EvaluationContext,
	kind: AggregateKind,
	subject: string,
): Promise<string> {
	const from_ms = startOf(rule, now_ms);
	const range = { width: widthOf(rule), kind, from_ms, to_ms: end(now_ms) };
	return (await repository.rows(range, subject)).findLast(({ note }) => note !== "")?.note ?? "";
}

function kindOf({ by }: RulePlan): "tool" | "tenant" {
	return by === "tenant" ? "tenant" : "tool";
}

/** Minutes are kept for two hours: what reaches further back is looked at by the hour. */
function widthOf({ within_ms }: RulePlan): AggregateWidth {
	return within_ms < minutes_kept_ms ? "minute" : "hour";
}

/** Rows are of whole minutes, or hours: the window begins with the one it begins in. */
function startOf(rule: RulePlan, now_ms: number): number {
	const from_ms = now_ms - rule.within_ms;
	return from_ms - (from_ms % (widthOf(rule) === "minute" ? minute_ms : hour_ms));
}

/** Rows of a moment that a clock which was set back calls the future are left out. */
function end(now_ms: number): number {
	return now_ms + 1;
}

function hourOf(time_ms: number): number {
	return time_ms - (time_ms % hour_ms);
}

function p99(rows: readonly AggregateRow[]): number | undefined {
	const latencies = noLatencies();
	for (const row of rows) addEncoded(latencies, row.latencies);
	return quantile(latencies, 0.99);
}

function window({ within_ms }: RulePlan): string {
	return formatDuration(within_ms);
}

function percent(share: number): string {
	return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`;
}

function milliseconds(duration_ms: number): string {
	return duration_ms < 1_000
		? `${Math.round(duration_ms)} ms`
		: `${(duration_ms / 1_000).toFixed(1)} s`;
}

function times(count: number): string {
	return count === 1 ? "Once" : `${count} times`;
}
