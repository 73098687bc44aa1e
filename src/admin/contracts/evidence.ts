import * as z from "zod";

/** What the admin API says of the call log, the history and the audit. */

const maybe = z.string().nullable();
const count = z.int().nonnegative();
const milliseconds = z.number().nonnegative();

/** One line of the call log, which is also how the history gives a call. */
export const call_line_schema = z.object({
	ts: z.iso.datetime().describe("When the call ended, in UTC."),
	service: z.literal("moorage"),
	id: z.string().describe("Names the call here."),
	tenant_id: maybe.describe("Null where a request was refused before it was known who called."),
	user: maybe,
	made_by: maybe.describe(
		"Id of whoever really made the call, where that was an admin in this person's name.",
	),
	client_id: maybe.describe("The client that was authenticated, if one was."),
	client_name: maybe.describe("What the client calls itself; null where it had not said yet."),
	client_version: maybe,
	session_id: maybe,
	endpoint: z.string().describe("The address that was called."),
	server: maybe.describe("Null where no single server was concerned."),
	version: maybe.describe("Which version of the server."),
	instance: maybe.describe("Which instance of it, as far as one was used."),
	method: z
		.string()
		.describe("Of JSON-RPC; of a request without one, that of HTTP; `*` where there are many."),
	tool: maybe.describe("Of `tools/call`: the server's own name of the tool."),
	name: maybe.describe("Of other methods: prompt name or uri."),
	status: z
		.enum(["ok", "client_error", "server_error", "timeout"])
		.describe("`client_error`: the caller's doing, or a policy's."),
	code: maybe.describe("Stable code of what went wrong."),
	error: maybe.describe("The sentence that the caller was told, where the fault was found here."),
	error_id: maybe.describe("Stands in the reply and in the gateway's log too."),
	requests: z
		.int()
		.positive()
		.describe("How many requests it stands for: 1, but where refusals came too fast."),
	duration_ms: milliseconds.describe("From the arrival of the request to its reply."),
	queue_ms: milliseconds.describe("Waiting for a place at an instance that runs."),
	wake_ms: milliseconds.describe("Waiting for an instance to start or wake."),
	upstream_ms: milliseconds.describe("The server's own time."),
	policy_ms: milliseconds,
	approval_ms: milliseconds.describe("Waiting for people."),
	audit_ms: milliseconds.describe(
		"Waiting until the call's intent was in the audit, before its server was called.",
	),
	decision: z.enum(["allow", "deny", "limit", "ask"]).nullable(),
	rule: maybe.describe("The rule or check that decided."),
	approval_id: maybe,
	risk: z.enum(["read", "reversible", "costly", "visible", "destructive"]).nullable(),
	input_bytes: count,
	output_bytes: count,
	input_hash: z
		.string()
		.regex(/^[0-9a-f]{64}$/)
		.nullable()
		.describe(
			"SHA-256 of the request's parameters; the audit has the same. Null where they were not read.",
		),
	request_id: z.string().describe("The client's own JSON-RPC id, as JSON."),
	trace_id: z.string().regex(/^[0-9a-f]{32}$/),
	span_id: z.string().regex(/^[0-9a-f]{16}$/),
	parent_span_id: z
		.string()
		.regex(/^[0-9a-f]{16}$/)
		.nullable(),
	client_revision: maybe.describe("Protocol revision that the client speaks."),
	client_era: z.enum(["legacy", "modern"]).nullable(),
	upstream_revision: maybe.describe("Protocol revision that the server speaks."),
	upstream_era: z.enum(["legacy", "modern"]).nullable(),
});

export const calls_page_schema = z.object({
	calls: z.array(call_line_schema).describe("The latest first."),
	next: z.string().optional().describe("`cursor` of the next page; absent behind the last."),
	complete: z.boolean().describe("False where looking took too long: `next` goes on from there."),
});

const payload_schema = z.discriminatedUnion("kind", [
	z.object({
		kind: z.literal("text"),
		text: z.string().describe("As it was, without secrets; cut where it was too long."),
	}),
	z.object({ kind: z.literal("base64"), base64: z.string().describe("What is no text.") }),
	z.object({ kind: z.literal("none") }).describe("Nothing was kept."),
	z.object({ kind: z.literal("erased") }).describe("Its key was destroyed."),
]);

/** What the audit has of a call. */
export const audited_call_schema = z.object({
	call: z.string(),
	entries: z
		.array(z.looseObject({ seq: count, kind: z.string() }))
		.describe("Its entries in the audit, oldest first."),
	input: payload_schema.describe("What came in; of an administrative action, what was before."),
	output: payload_schema.describe("What went out, or what was afterwards."),
});

export const erase_schema = z.strictObject({
	tenant: z.string().min(1).max(256),
	user: z.string().min(1).max(256),
});

export const erased_schema = z.object({
	tenant: z.string(),
	user: z.string(),
	keys: count.describe("Keys that were destroyed, and with them every payload they sealed."),
});

const open_intent_schema = z.object({
	seq: count,
	call: z.string(),
	at_ms: z.number(),
	entry: z.looseObject({}),
});

export const verification_schema = z.object({
	ok: z.boolean(),
	problem: z
		.object({
			kind: z.enum(["altered", "missing", "reordered", "unsigned"]),
			seq: count.describe("The first entry concerned."),
			segment: z.string(),
			line: count,
			message: z.string(),
		})
		.optional(),
	entries: count,
	first_seq: count,
	last_seq: count,
	attested_seq: count.describe("The last entry that a checkpoint or the head of the log attests."),
	torn_bytes: count.describe("Of an append that was interrupted, behind the last entry."),
	torn_heads: count.describe(
		"Times one of the two slots of the head was altered, or cut short when the machine failed.",
	),
	unknown_fates: z
		.array(open_intent_schema)
		.describe("Intents without an outcome: still running, or nobody knows."),
	lost: count.describe("Entries that the log itself says could not be kept."),
});

const losses = { entries_lost: count, payloads_lost: count, late: count };

export const evidence_status_schema = z.object({
	calls: z.object({ lines: count, dropped: count, failed: count }),
	audit: z
		.object({
			mode: z.enum(["on", "required"]),
			entries: count,
			...losses,
			failing: z.string().optional().describe("Code of the error the last write ended with."),
			public_key: z.string().describe("Verifies the audit; keep a copy elsewhere."),
		})
		.optional()
		.describe("Absent where the audit is off."),
});
