import type { Context } from "hono";
import type { z } from "zod";
import { fail, type Result, succeed } from "../lib/result.ts";
import { type Admission, incomingOf, isFromElsewhere, other_site } from "./admission.ts";
import { type Caller, callerOf, hasRole } from "./caller.ts";
import { config_text_schema, pasted_schema } from "./contracts/config-file.ts";
import { answer_schema, app_frame_schema, play_schema } from "./contracts/playground.ts";
import { open_session_schema } from "./contracts/session.ts";
import type { DashboardBackend } from "./dashboard-backend.ts";
import type { dashboard_operations } from "./dashboard-operations.ts";
import { link_ms, type SessionHolder } from "./dashboard-sessions.ts";
import { eventStream, eventStreamResponse } from "./event-stream.ts";
import type { Handler } from "./handlers.ts";
import type { OpenStreams } from "./open-streams.ts";
import type { AdminApiOptions } from "./options.ts";
import { problemOf, problemResponse } from "./problem.ts";
import { readBody, readRawBody } from "./read-body.ts";
import { json, outcome } from "./responses.ts";
import type { SignInProblem } from "./sign-in-backend.ts";

type DashboardOperation = keyof typeof dashboard_operations;

const body_bytes_max = 2 * 1024 * 1024;
const credential_bytes_max = 32 * 1024;

/** A handler for every operation that is there for the dashboard. */
export function createDashboardHandlers(
	backend: DashboardBackend,
	options: AdminApiOptions,
	admission: Admission,
	streams: OpenStreams,
): Record<DashboardOperation, Handler> {
	return {
		...sessionHandlers(options, admission),
		...configHandlers(backend),
		...playHandlers(backend, options, streams),
		getEvents: createEventHandler(options, streams),
		getFleet: async () => json(await backend.fleet()),
		getMine: (context) => json(backend.mine(callerOf(context))),
		wakeServer: (context) => outcome(backend.wake(nameOf(context))),
		freezeServer: (context) => outcome(backend.freeze(nameOf(context))),
		listClients(context) {
			const endpoint = context.req.query("endpoint") ?? "mcp";
			const clients = backend.clientLines(endpoint, callerOf(context));
			if (clients !== undefined) return json({ clients });
			const message = `There is no endpoint named "${endpoint}".`;
			return problemResponse(problemOf("server_unknown", message));
		},
	};
}

function sessionHandlers(options: AdminApiOptions, admission: Admission) {
	const { sessions } = options;
	const described = (caller: Caller, csrf = caller.csrf, until_ms = caller.expires_at_ms) => ({
		principal: caller.principal.id,
		tenant: caller.principal.tenant,
		user: caller.principal.user,
		roles: caller.roles,
		...(csrf === undefined ? {} : { csrf }),
		...(until_ms === undefined ? {} : { expires_at_ms: until_ms }),
		version: options.version,
		identity: options.hasIdentity(),
	});
	/** Whom a session is to be opened for, or the answer that says why for nobody. */
	const holderOf = async (
		body: z.infer<typeof open_session_schema>,
		context: Context,
	): Promise<Result<SessionHolder, Response>> => {
		if ("credential" in body) {
			return succeed({ kind: "credential", credential: body.credential });
		}
		if ("link" in body) {
			const holder = sessions.takeLink(body.link);
			return holder === undefined ? fail(problemResponse(link_used)) : succeed(holder);
		}
		const { name, password } = body;
		const found = await options.sign_in.logIn(name, password, incomingOf(context));
		return found.ok ? found : fail(notSignedIn(found.problem));
	};
	return {
		getSignInWays: () => json(options.sign_in.ways()),
		async createSession(context: Context) {
			if (isFromElsewhere(context)) return problemResponse(other_site);
			const body = await readBody(context.req.raw, credential_bytes_max, open_session_schema);
			if (!body.ok) return problemResponse(body.problem);
			const holder = await holderOf(body.value, context);
			if (!holder.ok) return holder.problem;
			const found = await admission.find(holder.value, undefined);
			if (!found.ok) {
				const is_unknown = found.problem.code === "unauthorized";
				return problemResponse(is_unknown ? wrong_credential : found.problem);
			}
			const caller = found.value;
			const { cookie, csrf, expires_at_ms } = await admission.signIn(
				caller,
				context.req.header("cookie"),
			);
			return json(described(caller, csrf, expires_at_ms), 201, { "set-cookie": cookie });
		},
		getSession: (context: Context) => json(described(callerOf(context))),
		endSession: (context: Context) => signOut(context, sessions, admission),
		createLink(context: Context) {
			const { holder, principal } = callerOf(context);
			const token = sessions.makeLink(holder, principal.id);
			const url = options.dashboardLink(token);
			return json({ url, expires_at_ms: options.clock.now() + link_ms }, 201);
		},
		listSessions(context: Context) {
			const { session_id } = callerOf(context);
			const all = sessions.list().map((one) => ({ ...one, current: one.id === session_id }));
			return json({ sessions: all });
		},
		async endOtherSession(context: Context) {
			const ended = await sessions.end(context.req.param("id") as string);
			return ended ? json({ ended }) : problemResponse(no_session);
		},
	};
}

/** Ends a session, and what else signs the same person in, in this browser. */
async function signOut(
	context: Context,
	sessions: AdminApiOptions["sessions"],
	admission: Admission,
): Promise<Response> {
	const { session_id, holder, principal } = callerOf(context);
	const ended = session_id !== undefined && (await sessions.end(session_id));
	const { cookies, elsewhere } = ended
		? await admission.leave(holder, principal.id, incomingOf(context))
		: { cookies: [], elsewhere: undefined };
	const response = json({ ended, ...(elsewhere && { elsewhere }) });
	for (const cookie of [admission.sign_out_cookie, ...cookies]) {
		response.headers.append("set-cookie", cookie);
	}
	return response;
}

function configHandlers(backend: DashboardBackend) {
	return {
		async getConfig() {
			const file = await backend.readConfig();
			return file.ok
				? json(file.value, 200, { etag: file.value.etag })
				: problemResponse(file.problem);
		},
		async previewConfig(context: Context) {
			const body = await readBody(context.req.raw, body_bytes_max, config_text_schema);
			if (!body.ok) return problemResponse(body.problem);
			return outcome(await backend.previewConfig(body.value.text));
		},
		async replaceConfig(context: Context) {
			const etag = context.req.header("if-match");
			if (etag === undefined) return problemResponse(no_etag);
			const body = await readBody(context.req.raw, body_bytes_max, config_text_schema);
			if (!body.ok) return problemResponse(body.problem);
			return outcome(await backend.replaceConfig(body.value.text, etag));
		},
		async proposeServers(context: Context) {
			const body = await readBody(context.req.raw, body_bytes_max, pasted_schema);
			if (!body.ok) return problemResponse(body.problem);
			return outcome(await backend.propose(body.value.text));
		},
	};
}

function playHandlers(backend: DashboardBackend, options: AdminApiOptions, streams: OpenStreams) {
	return {
		async play(context: Context) {
			const { raw: request } = context.req;
			const body = await readRawBody(request, options.call_bytes_max, play_schema, "params");
			if (!body.ok) return problemResponse(body.problem);
			const caller = callerOf(context);
			const { value: wanted, raw: params_json = "{}" } = body.value;
			if (wanted.as !== undefined && !hasRole(caller, [])) {
				return problemResponse(problemOf("forbidden", "Only an admin may call as somebody else."));
			}
			const opened = streams.open("plays", context);
			if (!opened.ok) return problemResponse(opened.problem);
			const { signal, close } = opened.value;
			const play = backend.play({ ...wanted, params_json }, caller);
			if (!play.ok) {
				close();
				return problemResponse(play.problem);
			}
			const over = new AbortController();
			const stream = eventStream({
				clock: options.clock,
				signal: AbortSignal.any([over.signal, signal]),
				follow(send) {
					send("started", { id: play.value.id });
					void play.value.run(send).finally(() => over.abort());
					return () => play.value.cancel();
				},
				dropped: (events) => ({ events }),
				onEnd: close,
			});
			return eventStreamResponse(stream);
		},
		async answerPlay(context: Context) {
			const { raw: request } = context.req;
			const body = await readRawBody(request, body_bytes_max, answer_schema, "result");
			if (!body.ok) return problemResponse(body.problem);
			const { id, question } = context.req.param() as { id: string; question: string };
			const { action } = body.value.value;
			const given = { action, result_json: body.value.raw ?? "{}" };
			const answered = backend.answer(id, question, given, callerOf(context));
			if (answered) return json({ answered });
			return problemResponse(problemOf("not_found", "Nobody asks this any more."));
		},
		async frameApp(context: Context) {
			const body = await readBody(context.req.raw, body_bytes_max, app_frame_schema);
			if (!body.ok) return problemResponse(body.problem);
			return outcome(await backend.frame(body.value, callerOf(context)), 201);
		},
	};
}

function createEventHandler(options: AdminApiOptions, streams: OpenStreams): Handler {
	return (context) => {
		const opened = streams.open("news", context);
		if (!opened.ok) return problemResponse(opened.problem);
		const { signal, close } = opened.value;
		const caller = callerOf(context);
		const kinds = context.req.query("kinds")?.split(",");
		const stream = eventStream({
			clock: options.clock,
			signal,
			follow: (send) =>
				options.live.subscribe((event) => {
					if (kinds === undefined || kinds.includes(event.kind)) send(event.kind, event.data);
				}, caller),
			dropped: (events) => ({ events }),
			onEnd: close,
		});
		return eventStreamResponse(stream);
	};
}

/** Why a name and a password opened nothing. */
function notSignedIn({ status, message, retry_after_s }: SignInProblem): Response {
	const code =
		status === 429 ? "too_many_attempts" : status === 503 ? "overloaded" : "login_failed";
	const headers = retry_after_s === undefined ? {} : { "retry-after": String(retry_after_s) };
	return problemResponse(problemOf(code, message), headers);
}

function nameOf(context: Context): string {
	return context.req.param("name") as string;
}

const link_used = problemOf("link_used", "This link was used already, or has expired.");
const wrong_credential = problemOf("unauthorized", "This token or key is not known here.");
const no_session = problemOf("not_found", "There is no such session.");
const no_etag = problemOf("invalid_request", "Send the `etag` that was read, as If-Match.");
