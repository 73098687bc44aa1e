import * as z from "zod";

/** What the admin API says of alerts. */

const at_ms = z.int().describe("Milliseconds since the epoch.");
const pattern = z.string().min(1).max(256);

/** One alert, from the first time its rule held to its end. */
export const alert_schema = z.object({
	id: z.string(),
	rule: z.string(),
	subject: z.string().describe("Which tool, tenant, server, …"),
	severity: z.enum(["info", "warning", "critical"]),
	state: z.enum(["pending", "firing", "resolved"]),
	since_ms: at_ms.describe("When its rule began to hold."),
	fired_at_ms: at_ms.optional(),
	resolved_at_ms: at_ms.optional(),
	seen_at_ms: at_ms.describe("When its rule held last."),
	value: z.number(),
	threshold: z.number(),
	summary: z.string().describe("A sentence for people."),
	told_at_ms: at_ms.optional(),
	told: z.int().nonnegative().describe("How often people were told that it fires."),
	silenced: z.boolean(),
});

export const silence_schema = z.object({
	id: z.string(),
	rule: z.string().describe("A pattern with `*` and `?`."),
	subject: z.string().describe("A pattern with `*` and `?`."),
	until_ms: at_ms,
	reason: z.string(),
	created_by: z.string(),
	created_at_ms: at_ms,
});

export const alerts_list_schema = z.object({
	alerts: z.array(alert_schema).describe("The latest first."),
	silences: z.array(silence_schema),
});

const delivery_schema = z.object({
	channel: z.string(),
	state: z.enum(["waiting", "delivered", "given_up"]),
	attempts: z.int().nonnegative(),
	problem: z.string().optional().describe("Why the last try did not work."),
});

export const alert_details_schema = z.object({
	alert: alert_schema,
	deliveries: z.array(delivery_schema),
});

export const new_silence_schema = z.strictObject({
	rule: pattern.optional().describe("Which rules; all where absent."),
	subject: pattern.optional().describe("Which tools, tenants, …; all where absent."),
	for_ms: z
		.int()
		.min(1_000)
		.max(365 * 24 * 3_600_000)
		.describe("How long, in milliseconds."),
	reason: z.string().max(500).optional(),
});

export const ended_silence_schema = z.object({ id: z.string() });

export const alerts_test_schema = z.object({
	channels: z.array(
		z.object({
			channel: z.string(),
			told: z.boolean(),
			problem: z.string().optional(),
		}),
	),
});

/** An alert, as people see it. */
export type AlertView = z.infer<typeof alert_schema>;
export type SilenceView = z.infer<typeof silence_schema>;
export type AlertsList = z.infer<typeof alerts_list_schema>;
export type AlertDetails = z.infer<typeof alert_details_schema>;
export type NewSilenceRequest = z.infer<typeof new_silence_schema>;
export type AlertsTest = z.infer<typeof alerts_test_schema>;
