import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../lib/clock.ts";
import type { GrantOwner } from "../store/grant-repository.ts";
import type { Log } from "../telemetry/log.ts";

/** Where authorization pages lead back to. */
export const consent_path = "/oauth/callback";

/** How long a person has; pages are opened from a log line. */
const consent_ms = 600_000;
/** Authorizations waiting at one time. */
const consents_max = 256;

interface Waiting {
	resolve(callback: URL): void;
}

/**
 * Authorizations that wait for a person: the page to open stands in the log, and the answer
 * comes to the gateway's own address. Each answer is taken once, and only with its `state`.
 */
export class Consents {
	readonly #clock: Clock;
	readonly #log: Log;
	readonly #waiting = new Map<string, Waiting>();

	constructor(clock: Clock, log: Log) {
		this.#clock = clock;
		this.#log = log;
	}

	/**
	 * Asks for an authorization; rejects when nobody gives it in time. Whose account it is to be is
	 * said, because whoever reads the log may be somebody else.
	 */
	authorize(server: string, page: URL, state: string, who: GrantOwner): Promise<URL> {
		if (this.#waiting.size >= consents_max) return Promise.reject(new Error("too many wait"));
		this.#log.warn(
			{ server, page: page.href, ...who },
			`server "${server}" needs ${authorizer(who)}: open the page within 10 minutes`,
		);
		return new Promise((resolve, reject) => {
			const timer = this.#clock.afterIdle(consent_ms, () => {
				this.#waiting.delete(state);
				reject(new Error("nobody answered"));
			});
			this.#waiting.set(state, {
				resolve: (callback) => {
					timer.cancel();
					this.#waiting.delete(state);
					resolve(callback);
				},
			});
		});
	}

	/** Answers the browser that comes back from an authorization page. */
	serve(request: IncomingMessage, response: ServerResponse): void {
		const callback = new URL(request.url ?? "/", "http://localhost");
		const waiting = this.#waiting.get(callback.searchParams.get("state") ?? "");
		const known = request.method === "GET" && waiting !== undefined;
		response.writeHead(known ? 200 : 404, {
			"content-type": "text/plain; charset=utf-8",
			"cache-control": "no-store",
			"referrer-policy": "no-referrer",
			"x-content-type-options": "nosniff",
		});
		response.end(
			known
				? "Moorage has the answer. You can close this page."
				: "No authorization waits for this answer. Open the newest page from Moorage's log.",
		);
		if (known) waiting.resolve(callback);
	}
}

function authorizer({ tenant, user }: GrantOwner): string {
	if (tenant === "") return "your authorization";
	return `the authorization of ${user === "" ? `the tenant ${tenant}` : `${tenant}/${user}`}`;
}
