import type { IncomingMessage, ServerResponse } from "node:http";
import type { Principal } from "../identity/principal.ts";
import type { ApiObstacle } from "./api-access.ts";
import { answerJson } from "./routes.ts";

/** Who asks for metrics, and who has them. */
export interface ScrapeParts {
	/** Without it everybody who can connect is the one person of this machine. */
	readonly has_identity: boolean;
	/** Whom a credential belongs to. */
	whoIs(authorization: string): Promise<Principal | undefined>;
	/** Why somebody may not read them, whatever their roles. */
	obstacle(who: Principal): ApiObstacle | undefined;
	readonly metrics: (request: IncomingMessage, response: ServerResponse) => void;
	/** Told of credentials that are refused. */
	readonly onRefused?: ((code: string) => void) | undefined;
}

/** Roles whose holders may read metrics. A key for a scraper has `metrics` and nothing else. */
const scraper_roles: readonly string[] = ["metrics", "operator", "admin"];

/** Answers `/metrics`. Metrics name servers, tools and tenants: they are not for everybody. */
export async function serveScrape(
	request: IncomingMessage,
	response: ServerResponse,
	{ has_identity, whoIs, obstacle, metrics, onRefused }: ScrapeParts,
): Promise<void> {
	if (request.method !== "GET") {
		const body = { error: "method_not_allowed", message: "Metrics are read with GET." };
		return answerJson(response, 405, body, { allow: "GET" });
	}
	if (!has_identity) return metrics(request, response);
	const { authorization } = request.headers;
	const who = authorization === undefined ? undefined : await whoIs(authorization);
	if (who === undefined) {
		const error = authorization === undefined ? "credential_missing" : "credential_unknown";
		onRefused?.(error);
		const message = "Send a key with the role `metrics` as `Authorization: Bearer KEY`.";
		const challenge = { "www-authenticate": 'Bearer realm="moorage"' };
		return answerJson(response, 401, { error, message }, challenge);
	}
	const refusal = obstacle(who);
	if (refusal !== undefined) {
		onRefused?.(refusal.code);
		return answerJson(response, 403, { error: refusal.code, message: refusal.message });
	}
	if (who.roles.some((role) => scraper_roles.includes(role))) return metrics(request, response);
	const message = "Metrics are for keys with the role `metrics` or `operator`.";
	onRefused?.("role_missing");
	answerJson(response, 403, { error: "role_missing", message });
}
