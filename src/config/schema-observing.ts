import * as z from "zod";
import { duration_pattern } from "./units.ts";

/** The parts of moorage.yaml about telemetry and alerts. */

const duration = z.string("duration").regex(duration_pattern, "duration");
const word = z.union([z.string(), z.number(), z.boolean()]);
const on_off = z.enum(["on", "off"]);

/** `2%`, `0.5%`. */
export const percent_pattern = /^(\d{1,3}(?:\.\d{1,3})?)%$/;

export const telemetry_schema = z.strictObject({
	otlp: z
		.strictObject({
			url: z.string().describe("Base address of a collector that speaks OTLP over HTTP. Required."),
			headers: z.record(z.string(), word).default({}).describe("Headers sent to it."),
			traces: on_off.default("on").describe("Whether it gets traces."),
			metrics: on_off.default("on").describe("Whether it gets metrics."),
			interval: duration.default("30s").describe("How often it gets metrics."),
		})
		.optional()
		.describe("Where traces and metrics are sent. Without it they are sent nowhere."),
	service: z.string().min(1).default("moorage").describe("What the gateway is called there."),
	traces: z
		.strictObject({
			share: z
				.string("percent")
				.regex(percent_pattern, "percent")
				.default("100%")
				.describe("Share of the calls that nothing is wrong with; errors are always kept."),
			slow: duration.default("1s").describe("A call that takes as long is always kept."),
			baggage: z
				.array(z.string().min(1))
				.default([])
				.describe("Keys of `baggage` that servers are told; all others stay here."),
		})
		.prefault({})
		.describe("Which calls are kept as traces."),
});

const over = z.union([z.string(), z.number()]);

const rule_schema = z.strictObject({
	metric: z
		.enum(["error_rate", "p99", "calls", "denied", "unknown_tool"])
		.optional()
		.describe("What a rule of your own looks at; built-in rules have theirs."),
	by: z
		.enum(["tool", "tenant", "endpoint"])
		.optional()
		.describe("What each of its alerts is about."),
	over: over
		.optional()
		.describe("What is too much: a share such as `2%`, or a multiple of what is usual, `3x`."),
	within: duration.optional().describe("The window that is looked at."),
	min: z.int().min(1).max(1_000_000).optional().describe("Fewer than this in it say nothing."),
	baseline: duration.optional().describe("How far back what is usual reaches."),
	for: duration.optional().describe("How long it must hold before the alert fires."),
	clear: duration.optional().describe("How long it must not hold before the alert is over."),
	severity: z.enum(["info", "warning", "critical"]).optional().describe("How bad it is."),
});

export const alerts_schema = z.strictObject({
	rules: z
		.record(z.string(), z.union([z.enum(["off"]), rule_schema]))
		.default({})
		.describe("Changes of built-in rules, by their names; `off`; or rules of your own."),
	webhooks: z
		.array(
			z.strictObject({
				url: z.string().describe("Address that alerts are posted to. Required."),
				secret: z.string().describe("What they are signed with. Required."),
			}),
		)
		.default([])
		.describe("Receivers of signed JSON."),
	slack: z
		.array(
			z.strictObject({ url: z.string().describe("Address of an incoming webhook. Required.") }),
		)
		.default([])
		.describe("Channels of Slack, or of what takes the same form."),
	email: z
		.array(
			z.strictObject({
				server: z
					.string()
					.describe("`smtp://user:password@host:587`, or `smtps://…` for TLS. Required."),
				from: z.string().describe("Whom mails are from. Required."),
				to: z.array(z.string()).min(1).describe("Whom they go to. Required."),
			}),
		)
		.default([])
		.describe("People who get a mail."),
	repeat: duration.default("4h").describe("How often people are reminded; `0s` for never."),
});

export type TelemetryForm = z.output<typeof telemetry_schema>;
export type AlertsForm = z.output<typeof alerts_schema>;
export type RuleForm = z.output<typeof rule_schema>;
