import { createHash } from "node:crypto";
import type {
	EndedMcpSession,
	McpSession,
	McpSessionPage,
} from "../admin/contracts/mcp-sessions.ts";
import type { McpSessionBackend, McpSessionQuery } from "../admin/mcp-session-backend.ts";
import { type AdminProblem, problemOf } from "../admin/problem.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { Session, Sessions } from "../sessions/sessions.ts";
import type { Log } from "../telemetry/log.ts";

const text_chars_max = 200;

/** Sessions of MCP clients, as those who run the gateway see and end them. */
export class McpSessionDesk implements McpSessionBackend {
	readonly #house: () => { readonly sessions: Sessions; readonly log: Log };

	/** `house` is asked with every request: what it has is built after this. */
	constructor(house: () => { readonly sessions: Sessions; readonly log: Log }) {
		this.#house = house;
	}

	list({ principal, endpoint, limit, cursor }: McpSessionQuery): McpSessionPage {
		const wanted = [...this.#house().sessions.all()]
			.filter((one) => principal === undefined || one.principal === principal)
			.filter((one) => endpoint === undefined || one.endpoint === endpoint);
		const ordered = wanted
			.map((session) => ({ session, place: placeOf(session) }))
			.sort((a, b) => (a.place < b.place ? 1 : -1));
		const rest = cursor === undefined ? ordered : ordered.filter(({ place }) => place < cursor);
		const page = rest.slice(0, limit);
		const last = page.at(-1);
		return {
			total: wanted.length,
			sessions: page.map(({ session }) => this.#entry(session)),
			...(last !== undefined && rest.length > limit && { next: last.place }),
		};
	}

	async end(id: string): Promise<Result<EndedMcpSession, AdminProblem>> {
		const session = [...this.#house().sessions.all()].find((one) => handleOf(one.id) === id);
		if (session === undefined || !this.#house().sessions.end(session.id)) return fail(unknown);
		await this.#house().sessions.flush();
		const { endpoint, principal } = session;
		this.#house().log.info({ session: id, endpoint, principal }, "a session was ended by hand");
		return succeed({ id, endpoint, principal });
	}

	#entry(session: Session): McpSession {
		const { endpoint, principal, revision, created_at_ms, used_at_ms, subscriptions } = session;
		return {
			id: handleOf(session.id),
			endpoint,
			principal,
			client: clientIn(session.client_info),
			revision,
			created_at_ms,
			used_at_ms,
			connected: this.#house().sessions.isHeld(session.id),
			subscriptions: subscriptions.size,
		};
	}
}

/**
 * Whoever has a session's id and its credential can speak in it, so that it is told to nobody. In
 * hex, because what begins with a dash would be an option on the command line.
 */
function handleOf(session_id: string): string {
	return createHash("sha256").update(session_id).digest("hex").slice(0, 22);
}

/** Where a session stands among the others: those used last have the greatest place. */
function placeOf({ used_at_ms, id }: Session): string {
	return `${String(used_at_ms).padStart(15, "0")}.${handleOf(id)}`;
}

/** What a client says of itself, cut to what fits a line. */
function clientIn(json: string): McpSession["client"] {
	const info = JSON.parse(json) as Readonly<Record<string, unknown>>;
	const told = (["name", "title", "version"] as const).flatMap((member) => {
		const value = info[member];
		return typeof value === "string" ? [[member, value.slice(0, text_chars_max)]] : [];
	});
	return Object.fromEntries(told) as McpSession["client"];
}

const unknown = problemOf("mcp_session_unknown", "There is no such session any more.");
