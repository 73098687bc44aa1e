import {
	type AlertsPlan,
	baseline_metrics,
	built_in_rules,
	custom_metrics,
	type RulePlan,
	share_metrics,
} from "./alert-rules.ts";
import { Amounts } from "./amounts.ts";
import {
	type Located,
	member,
	type NamedText,
	namedTexts,
	nodeAt,
	offsetOf,
	type Placed,
	placedMember,
} from "./located.ts";
import type { Report } from "./report.ts";
import {
	type AlertsForm,
	percent_pattern,
	type RuleForm,
	type TelemetryForm,
} from "./schema-observing.ts";
import type { TelemetryPlan } from "./telemetry-plan.ts";
import { formatDuration, parseDuration } from "./units.ts";

const minute_ms = 60_000;
const hour_ms = 60 * minute_ms;
const day_ms = 24 * hour_ms;
const interval_range = [1_000, day_ms] as const;
const slow_range = [0, day_ms] as const;
const span_range = [0, 30 * day_ms] as const;
/** Calls stay counted for eight days, by the hour. */
const window_ms_max = 7 * day_ms;
const within_range = [minute_ms, 30 * day_ms] as const;
/** What the times of a rule may be: calls are looked at by the minute. */
const rule_ranges = [
	["within", within_range],
	["baseline", [0, 365 * day_ms]],
	["for", span_range],
	["clear", span_range],
] as const;

/** Where rules stand, and where to say what is wrong with them. */
interface RulesPlace {
	readonly root: Located;
	readonly report: Report;
	readonly amounts: Amounts;
}

/** `telemetry` and `alerts` before references are expanded. */
export interface ObservingDraft {
	readonly telemetry: TelemetryDraft | undefined;
	readonly alerts: AlertsDraft | undefined;
}

/** A plan whose texts are not expanded yet. */
export interface TelemetryDraft {
	readonly plan: TelemetryPlan;
	readonly url: Placed | undefined;
	readonly headers: readonly NamedText[];
}

/** Rules that are checked, and channels whose texts are not expanded yet. */
export interface AlertsDraft {
	readonly plan: AlertsPlan;
	readonly webhooks: readonly { readonly url: Placed; readonly secret: Placed }[];
	readonly slack: readonly Placed[];
	readonly email: readonly {
		readonly server: Placed;
		readonly from: string;
		readonly to: readonly string[];
	}[];
}

/** Reads `telemetry` and `alerts`; rules that cannot be meant go to the report. */
export function readObserving(
	form: { telemetry?: TelemetryForm | undefined; alerts?: AlertsForm | undefined },
	root: Located,
	report: Report,
): ObservingDraft {
	return {
		telemetry:
			form.telemetry === undefined ? undefined : readTelemetry(form.telemetry, root, report),
		alerts: form.alerts === undefined ? undefined : readAlerts(form.alerts, root, report),
	};
}

function readTelemetry(form: TelemetryForm, root: Located, report: Report): TelemetryDraft {
	const { otlp, traces } = form;
	const node = nodeAt(root, ["telemetry", "otlp"]);
	const amounts = new Amounts(root, report);
	const ratio = shareOf(traces.share) ?? 1;
	if (ratio > 1) {
		const message = "`telemetry.traces.share` is more than all calls.";
		report.problem(offsetOf(root, ["telemetry", "traces", "share"]), message, "Write `100%`.");
	}
	return {
		plan: {
			service: form.service,
			ratio,
			slow_ms: amounts.duration(traces.slow, slow_range, ["telemetry", "traces", "slow"]),
			baggage: traces.baggage,
			otlp: otlp && {
				url: "",
				headers: {},
				traces: otlp.traces === "on",
				metrics: otlp.metrics === "on",
				interval_ms: amounts.duration(otlp.interval, interval_range, [
					...["telemetry", "otlp", "interval"],
				]),
			},
		},
		url: node && placedMember(node, "url"),
		headers: node === undefined ? [] : namedTexts(member(node, "headers")?.value),
	};
}

function readAlerts(form: AlertsForm, root: Located, report: Report): AlertsDraft {
	const texts = (key: string, index: number, name: string): Placed[] => {
		const node = nodeAt(root, ["alerts", key, index]);
		const text = node && placedMember(node, name);
		return text === undefined ? [] : [text];
	};
	const amounts = new Amounts(root, report);
	const repeat_ms = amounts.duration(form.repeat, span_range, ["alerts", "repeat"]);
	return {
		plan: {
			rules: readRules(form.rules, { root, report, amounts }),
			channels: [],
			repeat_ms: repeat_ms === 0 ? undefined : repeat_ms,
		},
		webhooks: form.webhooks.flatMap((_, index) => {
			const [url] = texts("webhooks", index, "url");
			const [secret] = texts("webhooks", index, "secret");
			return url === undefined || secret === undefined ? [] : { url, secret };
		}),
		slack: form.slack.flatMap((_, index) => texts("slack", index, "url")),
		email: form.email.flatMap(({ from, to }, index) =>
			texts("email", index, "server").map((server) => ({ server, from, to })),
		),
	};
}

function readRules(forms: AlertsForm["rules"], at: RulesPlace): RulePlan[] {
	const { root, report, amounts } = at;
	const off = new Set<string>();
	const changed = new Map<string, RulePlan>();
	for (const [name, form] of Object.entries(forms)) {
		const path = ["alerts", "rules", name];
		const base = built_in_rules.find((rule) => rule.name === name);
		const refuse = (key: string | undefined, message: string, next: string) =>
			report.problem(offsetOf(root, key === undefined ? path : [...path, key]), message, next);
		if (form === "off") {
			if (base === undefined) refuse(undefined, `There is no built-in rule \`${name}\`.`, built_in);
			off.add(name);
			continue;
		}
		for (const [key, range] of rule_ranges) {
			const text = form[key];
			if (text !== undefined) amounts.duration(text, range, [...path, key]);
		}
		const rule = base === undefined ? newRule(name, form, refuse) : changeRule(base, form, refuse);
		if (rule !== undefined) changed.set(name, rule);
	}
	const kept = built_in_rules.filter(({ name }) => !off.has(name));
	const added = [...changed.values()].filter(
		({ name }) => !built_in_rules.some((rule) => rule.name === name),
	);
	return [...kept.map((rule) => changed.get(rule.name) ?? rule), ...added];
}

type Refuse = (key: string | undefined, message: string, next: string) => void;

const built_in = `The built-in ones are: ${built_in_rules.map(({ name }) => name).join(", ")}.`;

function changeRule(base: RulePlan, form: RuleForm, refuse: Refuse): RulePlan | undefined {
	if (form.metric !== undefined || form.by !== undefined) {
		const message = `What the built-in rule \`${base.name}\` looks at cannot be changed.`;
		refuse(
			form.metric === undefined ? "by" : "metric",
			message,
			"Give your own rule another name.",
		);
		return undefined;
	}
	return withNumbers(base, form, refuse);
}

function newRule(name: string, form: RuleForm, refuse: Refuse): RulePlan | undefined {
	const { metric, by } = form;
	if (metric === undefined) {
		const next = `Name its \`metric\`: ${Object.keys(custom_metrics).join(", ")}. ${built_in}`;
		refuse(undefined, `There is no built-in rule \`${name}\`, and this one has no metric.`, next);
		return undefined;
	}
	const subjects = custom_metrics[metric] ?? [];
	const subject = by ?? subjects[0];
	const base = built_in_rules.find((rule) => rule.metric === metric);
	if (base === undefined || subject === undefined || !subjects.includes(subject)) {
		const next = `Write one of: ${subjects.join(", ")}.`;
		refuse("by", `A rule on \`${metric}\` is not by \`${subject}\`.`, next);
		return undefined;
	}
	if (form.over === undefined && metric !== "unknown_tool") {
		refuse(undefined, `The rule \`${name}\` does not say what is too much.`, "Write `over`.");
		return undefined;
	}
	return withNumbers({ ...base, name, by: subject }, form, refuse);
}

function withNumbers(base: RulePlan, form: RuleForm, refuse: Refuse): RulePlan | undefined {
	const over = form.over === undefined ? base.over : overOf(base, form.over, refuse);
	if (over === undefined) return undefined;
	const duration = (text: string | undefined, otherwise: number) =>
		text === undefined ? otherwise : (parseDuration(text) ?? otherwise);
	const baseline_ms = duration(form.baseline, base.baseline_ms);
	const baseline_least = base.metric === "calls" ? day_ms : hour_ms;
	if (baseline_metrics.has(base.metric) && baseline_ms < baseline_least) {
		const message = `\`${base.name}\` compares with what is usual, and has too little to compare with.`;
		refuse("baseline", message, `Write at least \`${formatDuration(baseline_least)}\`.`);
		return undefined;
	}
	const within_ms = duration(form.within, base.within_ms);
	const is_counted = base.metric !== "expiry" && within_ms <= within_range[1];
	if (is_counted && within_ms > window_ms_max) {
		const message = `\`${base.name}\` looks back further than calls stay counted.`;
		refuse("within", message, `Write at most \`${formatDuration(window_ms_max)}\`.`);
		return undefined;
	}
	return {
		...base,
		over,
		baseline_ms,
		within_ms,
		min_count: form.min ?? base.min_count,
		for_ms: duration(form.for, base.for_ms),
		clear_ms: duration(form.clear, base.clear_ms),
		severity: form.severity ?? base.severity,
	};
}

const multiple_pattern = /^(\d{1,4}(?:\.\d{1,3})?)x$/;

/** How much is too much, in the one form that means something for the metric. */
function overOf(rule: RulePlan, over: string | number, refuse: Refuse): number | undefined {
	const { metric, name } = rule;
	if (baseline_metrics.has(metric)) {
		const [, multiple] = multiple_pattern.exec(String(over)) ?? [];
		if (multiple !== undefined && Number(multiple) > 1) return Number(multiple);
		refuse(
			"over",
			`\`${name}\` compares with an absolute number, which is no sign of trouble: what is much ` +
				"for one is little for another, and both change.",
			"Write a multiple of what is usual, greater than 1, for example `10x`.",
		);
		return undefined;
	}
	if (share_metrics.has(metric)) {
		const share = shareOf(String(over));
		if (share !== undefined && share < 1) return share;
		refuse("over", `\`${name}\` is about a share.`, "Write a percentage below 100, such as `2%`.");
		return undefined;
	}
	refuse("over", `\`${name}\` has no threshold.`, "Remove `over`.");
	return undefined;
}

function shareOf(text: string): number | undefined {
	const [, digits] = percent_pattern.exec(text) ?? [];
	return digits === undefined ? undefined : Number(digits) / 100;
}
