import type { Context } from "hono";
import { fail, type Result, succeed } from "../lib/result.ts";
import { callerOf } from "./caller.ts";
import { erase_schema } from "./contracts/evidence.ts";
import type { CallsWanted, EvidenceBackend } from "./evidence-backend.ts";
import type { evidence_operations } from "./evidence-operations.ts";
import type { Handler } from "./handlers.ts";
import { type AdminProblem, problemOf, problemResponse } from "./problem.ts";
import { readBody } from "./read-body.ts";
import { readTime } from "./read-time.ts";
import { json, outcome } from "./responses.ts";

/** Calls on one page. */
const page_default = 50;
const page_max = 500;
const text_chars_max = 512;
const erase_bytes_max = 4096;

const statuses = ["ok", "client_error", "server_error", "timeout", "error"] as const;
/** A handler for every operation about what has happened. */
export function createEvidenceHandlers(
	backend: EvidenceBackend,
	now: () => number,
): Record<keyof typeof evidence_operations, Handler> {
	return {
		async listCalls(context) {
			const wanted = readWanted(context, now());
			if (!wanted.ok) return problemResponse(wanted.problem);
			const found = await backend.findCalls(wanted.value);
			if (!found.ok) return problemResponse(found.problem);
			const { calls, next, complete } = found.value;
			return json({ calls, ...(next === undefined ? {} : { next: String(next) }), complete });
		},
		getCall: async (context) => outcome(await backend.call(idOf(context))),
		getCallPayload: async (context) =>
			outcome(await backend.payload(idOf(context), callerOf(context))),
		getEvidence: () => json(backend.evidence()),
		verifyAudit: async () => outcome(await backend.verifyAudit()),
		async eraseAudit(context) {
			const body = await readBody(context.req.raw, erase_bytes_max, erase_schema);
			if (!body.ok) return problemResponse(body.problem);
			return outcome(await backend.eraseAudit(body.value.tenant, body.value.user));
		},
	};
}

function idOf(context: Context): string {
	return context.req.param("id") as string;
}

function readWanted(context: Context, now_ms: number): Result<CallsWanted, AdminProblem> {
	const text = (name: string) => context.req.query(name)?.slice(0, text_chars_max);
	const since_ms = readTime(text("since"), now_ms);
	const until_ms = readTime(text("until"), now_ms);
	if (Number.isNaN(since_ms) || Number.isNaN(until_ms)) {
		return invalid("since and until are `1h`, `30m`, `7d`, or a time as ISO 8601.");
	}
	const status = text("status");
	if (status !== undefined && !isStatus(status)) {
		return invalid(`status is one of ${statuses.join(", ")}.`);
	}
	const trace = text("trace");
	if (trace !== undefined && !/^[0-9a-f]{32}$/.test(trace)) {
		return invalid("trace is 32 hex digits.");
	}
	const limit = readNumber(text("limit")) ?? page_default;
	if (!(limit >= 1 && limit <= page_max)) return invalid(`limit is 1 to ${page_max}.`);
	const before = readNumber(text("cursor"));
	if (Number.isNaN(before)) return invalid("cursor is `next` of the page before.");
	const [tenant, user] = splitPerson(text("tenant"), text("user"));
	return succeed({
		since_ms,
		until_ms,
		tenant,
		user,
		client: text("client"),
		server: text("server"),
		name: text("name"),
		method: text("method"),
		endpoint: text("endpoint"),
		session: text("session"),
		trace,
		status,
		code: text("code"),
		decision: text("decision"),
		text: text("q"),
		before,
		limit,
	});
}

/** `acme/ana` is Ana of Acme. */
function splitPerson(tenant: string | undefined, user: string | undefined) {
	const slash = user?.indexOf("/") ?? -1;
	if (user === undefined || slash < 0) return [tenant, user] as const;
	return [user.slice(0, slash), user.slice(slash + 1)] as const;
}

function isStatus(text: string): text is (typeof statuses)[number] {
	return (statuses as readonly string[]).includes(text);
}

function readNumber(text: string | undefined): number | undefined {
	if (text === undefined) return undefined;
	return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
}

function invalid(message: string): Result<never, AdminProblem> {
	return fail(problemOf("invalid_request", message));
}
