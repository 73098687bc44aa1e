import { fail, type Result, succeed } from "../../lib/result.ts";
import { rpc_codes } from "../../protocol/codes.ts";
import type { Fault } from "../../protocol/fault.ts";
import { header_names } from "../../protocol/headers.ts";
import { latest_modern_revision } from "../../protocol/revisions.ts";
import type { Message } from "../../wire/message.ts";
import type { Hello, UpstreamRequest } from "../driver.ts";
import {
	composeDiscover,
	composeInitialize,
	envelopeOf,
	type HandshakeError,
	isModernError,
	namesLegacy,
	offeredInstead,
	readDiscovered,
	readHandshakeError,
	readInitialized,
} from "../handshake.ts";
import { stampRequest, withEnvelope } from "../outgoing.ts";
import type { Outcome } from "../pending.ts";
import { CallRun } from "./call-run.ts";
import type { HttpSession } from "./headers.ts";
import type { HttpLink } from "./link.ts";

/** What a handshake comes to. */
export interface Agreement {
	readonly hello: Hello;
	readonly session: HttpSession;
}

const initialized = Buffer.from('{"jsonrpc":"2.0","method":"notifications/initialized"}');
const modern: HttpSession = { era: "modern", revision: latest_modern_revision, id: undefined };
const unknown: HttpSession = { era: "legacy", revision: undefined, id: undefined };

/** With these a server of the older HTTP+SSE transport refuses (transports, 2025-11-25). */
const sse_statuses = new Set([400, 404, 405]);

/** Refusals that say nothing about the era: who is asking, or the server's state. */
const not_about_era = new Set([401, 403, 407, 408, 429]);

/**
 * Finds out how to speak to a remote server: the modern request first, and the legacy
 * handshake when the answer is not one that a modern server gives (versioning, 2026-07-28).
 */
export async function shakeHands(link: HttpLink): Promise<Result<Agreement, Fault>> {
	const { start_ms, clock } = link.context;
	const started_ms = clock.monotonic();
	let { outcome, run } = await discover(link, start_ms / 2);
	const offered = outcome.ok ? offeredIn(outcome.value) : undefined;
	// The server has said which revision it wants to be asked in; it is asked once more.
	if (offered !== undefined) ({ outcome, run } = await discover(link, start_ms / 4, offered));
	const verdict = judge(link, outcome, run);
	if (verdict !== "legacy") return verdict;
	const left_ms = start_ms - (clock.monotonic() - started_ms);
	return initialize(link, Math.max(1, left_ms));
}

function discover(link: HttpLink, wait_ms: number, revision = latest_modern_revision) {
	const asked = plain(link, composeDiscover(), wait_ms);
	const request = withEnvelope(asked, envelopeOf(link.context, revision));
	return exchange(link, request, { ...modern, revision });
}

function offeredIn(reply: Message): string | undefined {
	const error = readHandshakeError(reply);
	return error === undefined ? undefined : offeredInstead(error);
}

/** The legacy handshake alone: when the era is known, to replace a lost session. */
export async function initialize(
	link: HttpLink,
	wait_ms: number,
): Promise<Result<Agreement, Fault>> {
	const request = plain(link, composeInitialize(link.context), wait_ms);
	const { outcome, run } = await exchange(link, request, unknown);
	link.may_be_sse = sse_statuses.has(run.status);
	if (!outcome.ok) return fail(inOwnWords(link, outcome.problem, "initialize", run));
	const error = readHandshakeError(outcome.value);
	if (error !== undefined) return fail(refused(link, error));
	const hello = readInitialized(outcome.value);
	if (typeof hello === "string") return fail(link.faults.protocol(hello));
	const header = run.headers[header_names.session_id];
	const id = typeof header === "string" && header !== "" ? header : undefined;
	const session: HttpSession = { era: "legacy", revision: hello.revision, id };
	// Calls may take another connection: the server must have seen this one before them.
	const told = await link.postAndWait(initialized, session);
	if (!told.ok || told.value.status >= 300) {
		const why = told.ok ? `HTTP ${told.value.status}` : told.problem;
		link.context.onLine("event", `notifications/initialized was not accepted (${why})`);
	}
	return succeed({ hello, session });
}

/** What the answer to the modern request says: an agreement, a failure, or to try legacy. */
function judge(
	link: HttpLink,
	outcome: Outcome,
	run: CallRun,
): Result<Agreement, Fault> | "legacy" {
	if (!outcome.ok) {
		const { status } = run;
		const { code } = outcome.problem;
		const refused = status >= 400 && status < 500 && !not_about_era.has(status);
		const odd = code === "server_protocol" || code === "call_timeout";
		return refused || odd
			? "legacy"
			: fail(inOwnWords(link, outcome.problem, "server/discover", run));
	}
	const error = readHandshakeError(outcome.value);
	if (error !== undefined) {
		return !isModernError(error.code) || namesLegacy(error) ? "legacy" : fail(refused(link, error));
	}
	const hello = readDiscovered(outcome.value);
	if (hello === undefined) return "legacy";
	if (typeof hello === "string") return fail(link.faults.protocol(hello));
	return succeed({ hello, session: { ...modern, revision: hello.revision } });
}

function plain(link: HttpLink, message: Message, call_ms: number): UpstreamRequest {
	return { message, edits: [], name: undefined, signal: link.context.signal, call_ms };
}

async function exchange(
	link: HttpLink,
	request: UpstreamRequest,
	session: HttpSession,
): Promise<{ outcome: Outcome; run: CallRun }> {
	const call = link.pending.add(request);
	const run = new CallRun(link, call, stampRequest(request.message, request.edits, call.id));
	run.start(session);
	return { outcome: await call.outcome, run };
}

/** A call's fault in the words of a start. */
function inOwnWords(link: HttpLink, fault: Fault, method: string, run: CallRun): Fault {
	if (run.lost !== undefined) return link.faults.notStarted(run.lost);
	if (fault.code !== "call_timeout") return fault;
	const { start_ms } = link.context;
	return link.faults.notStarted(`did not answer ${method} within ${start_ms / 1000} s`);
}

function refused(link: HttpLink, error: HandshakeError): Fault {
	if (error.code === rpc_codes.unsupported_protocol_version) {
		const offered = error.supported?.join(", ").slice(0, 200) ?? "none";
		return link.faults.noCommonRevision(offered);
	}
	const what = `refused the handshake with error ${error.code}`;
	return link.faults.protocol(what, undefined, error.message);
}
