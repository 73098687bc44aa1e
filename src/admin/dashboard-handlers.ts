import type { Context } from "hono";
import type { Admission } from "./admission.ts";
import { admin_roles, type Caller, callerOf, hasRole } from "./caller.ts";
import { config_text_schema, pasted_schema } from "./contracts/config-file.ts";
import { answer_schema, app_frame_schema, play_schema } from "./contracts/playground.ts";
import { open_session_schema } from "./contracts/session.ts";
import type { DashboardBackend } from "./dashboard-backend.ts";
import type { dashboard_operations } from "./dashboard-operations.ts";
import { link_ms, session_ms } from "./dashboard-sessions.ts";
import { eventStream, eventStreamResponse } from "./event-stream.ts";
import type { Handler } from "./handlers.ts";
import type { AdminApiOptions } from "./options.ts";
import { problemOf, problemResponse } from "./problem.ts";
import { readBody } from "./read-body.ts";
import { json, outcome } from "./responses.ts";

type DashboardOperation = keyof typeof dashboard_operations;

/** Streams of live news, and calls of the playground, that are open at once. */
const streams_max = 64;
const body_bytes_max = 2 * 1024 * 1024;
const credential_bytes_max = 32 * 1024;

/** A handler for every operation that is there for the dashboard. */
export function createDashboardHandlers(
	backend: DashboardBackend,
	options: AdminApiOptions,
	admission: Admission,
): Record<DashboardOperation, Handler> {
	return {
		...sessionHandlers(options, admission),
		...configHandlers(backend),
		...playHandlers(backend, options),
		getEvents: createEventHandler(options),
		getFleet: async () => json(await backend.fleet()),
		getMine: (context) => json(backend.mine(callerOf(context))),
		wakeServer: (context) => outcome(backend.wake(nameOf(context))),
		freezeServer: (context) => outcome(backend.freeze(nameOf(context))),
		listClients(context) {
			const endpoint = context.req.query("endpoint") ?? "mcp";
			const clients = backend.clientLines(endpoint);
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
	return {
		async createSession(context: Context) {
			const body = await readBody(context.req.raw, credential_bytes_max, open_session_schema);
			if (!body.ok) return problemResponse(body.problem);
			const { value } = body;
			const credential = "link" in value ? sessions.takeLink(value.link) : value.credential;
			const caller = credential && (await admission.identify(credential, undefined));
			if (credential === undefined || caller === undefined || caller === "") {
				return problemResponse("link" in value ? link_used : wrong_credential);
			}
			const opened = await sessions.open(credential, caller.principal.id);
			const cookie = admission.setCookie(opened.token, Math.floor(session_ms / 1000));
			return json(described(caller, opened.csrf, opened.expires_at_ms), 201, {
				"set-cookie": cookie,
			});
		},
		getSession: (context: Context) => json(described(callerOf(context))),
		async endSession(context: Context) {
			const { session_id } = callerOf(context);
			const ended = session_id !== undefined && (await sessions.end(session_id));
			return json({ ended }, 200, { "set-cookie": admission.setCookie(undefined, 0) });
		},
		createLink(context: Context) {
			const token = sessions.makeLink(callerOf(context).credential);
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

function playHandlers(backend: DashboardBackend, options: AdminApiOptions) {
	let running = 0;
	return {
		async play(context: Context) {
			const body = await readBody(context.req.raw, options.call_bytes_max, play_schema);
			if (!body.ok) return problemResponse(body.problem);
			const caller = callerOf(context);
			if (body.value.as !== undefined && !hasRole(caller, [])) {
				return problemResponse(problemOf("forbidden", "Only an admin may call as somebody else."));
			}
			if (running >= streams_max) return problemResponse(too_many);
			const play = backend.play(body.value, caller);
			if (!play.ok) return problemResponse(play.problem);
			running += 1;
			const over = new AbortController();
			const stream = eventStream({
				clock: options.clock,
				signal: AbortSignal.any([over.signal, options.signal]),
				follow(send) {
					send("started", { id: play.value.id });
					void play.value.run(send).finally(() => over.abort());
					return () => play.value.cancel();
				},
				dropped: (events) => ({ events }),
				onEnd: () => {
					running -= 1;
				},
			});
			return eventStreamResponse(stream);
		},
		async answerPlay(context: Context) {
			const body = await readBody(context.req.raw, body_bytes_max, answer_schema);
			if (!body.ok) return problemResponse(body.problem);
			const { id, question } = context.req.param() as { id: string; question: string };
			const answered = backend.answer(id, question, body.value, callerOf(context));
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

function createEventHandler(options: AdminApiOptions): Handler {
	let open = 0;
	return (context) => {
		if (open >= streams_max) return problemResponse(too_many);
		open += 1;
		const { roles } = callerOf(context);
		const kinds = context.req.query("kinds")?.split(",");
		const held = roles.includes("admin") ? admin_roles : roles;
		const stream = eventStream({
			clock: options.clock,
			signal: options.signal,
			follow: (send) =>
				options.live.subscribe((event) => {
					if (kinds === undefined || kinds.includes(event.kind)) send(event.kind, event.data);
				}, held),
			dropped: (events) => ({ events }),
			onEnd: () => {
				open -= 1;
			},
		});
		return eventStreamResponse(stream);
	};
}

function nameOf(context: Context): string {
	return context.req.param("name") as string;
}

const link_used = problemOf("link_used", "This link was used already, or has expired.");
const wrong_credential = problemOf("unauthorized", "This token or key is not known here.");
const no_session = problemOf("not_found", "There is no such session.");
const no_etag = problemOf("invalid_request", "Send the `etag` that was read, as If-Match.");
const too_many = problemOf("overloaded", "Too many streams are open.");
