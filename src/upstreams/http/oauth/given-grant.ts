import type { TokenEndpointResponse } from "oauth4webapi";
import type { Clock } from "../../../lib/clock.ts";
import type { Random } from "../../../lib/random.ts";
import type { Discovered } from "./discovery.ts";
import { OAuthProblem } from "./oauth-problem.ts";
import type { Grant, Registration } from "./token-store.ts";

/** How long before its end a token is renewed, at most. */
const renew_margin_ms = 60_000;
/** How much sooner still, at most and by chance: what was given together is renewed apart. */
const renew_spread_ms = 240_000;
/** Longest token that is sent. */
const token_chars_max = 8_192;

/** What a grant is made of, beside the answer that gave it. */
export interface Given {
	readonly found: Discovered;
	readonly scopes: readonly string[];
	readonly registration: Registration;
	/** Whether the client stands in the configuration. */
	readonly is_configured: boolean;
	readonly clock: Pick<Clock, "now">;
	readonly random: Pick<Random, "fraction"> | undefined;
}

/** The grant that a token answer gives; throws an `OAuthProblem` where the token cannot be used. */
export function givenGrant(answer: TokenEndpointResponse, given: Given): Grant {
	const { access_token, token_type, refresh_token } = answer;
	const is_sendable = /^[\x21-\x7e]+$/.test(access_token);
	if (token_type !== "bearer" || !is_sendable || access_token.length > token_chars_max) {
		throw new OAuthProblem(
			"Its authorization server gave a token of a kind that Moorage does not know. " +
				"Report this to whoever runs it.",
		);
	}
	const { found, scopes, registration, is_configured } = given;
	return {
		issuer: found.server.issuer,
		resource: found.resource,
		access_token,
		refresh_token,
		scopes,
		renew_at_ms: renewAt(answer.expires_in, given),
		registration: is_configured ? undefined : registration,
		client_id: registration.client_id,
	};
}

/** A minute before its end, or when a quarter of a shorter life is left; or somewhat sooner. */
function renewAt(
	expires_in_s: number | undefined,
	{ clock, random }: Pick<Given, "clock" | "random">,
): number | undefined {
	if (expires_in_s === undefined) return undefined;
	const life_ms = expires_in_s * 1000;
	const margin_ms = Math.min(renew_margin_ms, life_ms / 4);
	const spread_ms = Math.min(renew_spread_ms, life_ms / 8) * (random?.fraction() ?? 0);
	// Whole milliseconds, because it is stored and told as such.
	return Math.floor(clock.now() + life_ms - margin_ms - spread_ms);
}
