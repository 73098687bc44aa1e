import { hash } from "node:crypto";
import { calculateJwkThumbprint, EmbeddedJWK, type JWK, type JWTPayload, jwtVerify } from "jose";
import { accepted_algorithms } from "../../config/token-algorithms.ts";
import type { Clock } from "../../lib/clock.ts";
import { messageOf } from "./issuer-metadata.ts";
import type { ProofNonces } from "./proof-nonces.ts";
import type { ReplayCache } from "./replay-cache.ts";

/** A proof is good for this long after it was made, and clocks may differ by that. */
const age_ms_max = 60_000;
const skew_ms = 5_000;
const proof_chars_max = 4_096;
const jti_chars_max = 256;

/** What a proof has to be for. */
export interface ProvenRequest {
	readonly method: string;
	/** The address of the request as the client sees it, without query and fragment. */
	readonly url: string;
	readonly token: string;
	/** Thumbprint of the key that the token is bound to (`cnf.jkt`). */
	readonly thumbprint: string;
	/** Whether it has to carry a nonce that was given out here. */
	readonly nonce_required: boolean;
}

/** What becomes of a proof. */
export type ProofVerdict = "good" | "replayed" | "nonce" | { readonly invalid: string };

/** Checks proofs of possession (RFC 9449 section 4.3). */
export class ProofCheck {
	readonly #clock: Clock;
	readonly #replays: ReplayCache;
	readonly #nonces: ProofNonces;
	/** What was used before this process ran is not known any more. */
	readonly #since_ms: number;

	constructor(clock: Clock, replays: ReplayCache, nonces: ProofNonces) {
		this.#clock = clock;
		this.#replays = replays;
		this.#nonces = nonces;
		this.#since_ms = clock.now();
	}

	/**
	 * Whether a proof is one for this request, used for the first time; `nonce`: but for its nonce.
	 */
	async check(proof: string, request: ProvenRequest): Promise<ProofVerdict> {
		if (proof.length > proof_chars_max) return { invalid: "it is too long" };
		const now_ms = this.#clock.now();
		const opened = await open(proof, now_ms);
		if (typeof opened === "string") return { invalid: opened };
		const { jti, htm, htu, iat, ath } = opened.payload;
		const { thumbprint } = opened;
		if (thumbprint !== request.thumbprint) return { invalid: "it is of another key" };
		if (htm !== request.method) return { invalid: "htm is another method" };
		if (typeof htu !== "string" || !isSameAddress(htu, request.url)) {
			return { invalid: `htu is not ${request.url}` };
		}
		if (ath !== hash("sha256", request.token, "base64url")) {
			return { invalid: "ath is not of this token" };
		}
		if (typeof jti !== "string" || jti === "" || jti.length > jti_chars_max) {
			return { invalid: "jti is missing or too long" };
		}
		if (typeof iat !== "number") return { invalid: "iat is missing" };
		const made_ms = iat * 1000;
		if (made_ms > now_ms + skew_ms) return { invalid: "iat is in the future" };
		if (made_ms < now_ms - age_ms_max) return { invalid: "iat is too long ago" };
		// Whole seconds: one that was made in the second of the start may have been made after it.
		if (made_ms + 999 < this.#since_ms) return { invalid: "iat is before this gateway's start" };
		if (request.nonce_required && !this.#nonces.isGood(opened.payload["nonce"])) return "nonce";
		const until_ms = made_ms + age_ms_max + 1_000;
		return this.#replays.isNew(thumbprint, jti, until_ms, now_ms) ? "good" : "replayed";
	}
}

/** Checks a proof's signature with the key that it carries itself; a text says what is wrong. */
async function open(
	proof: string,
	now_ms: number,
): Promise<{ readonly payload: JWTPayload; readonly thumbprint: string } | string> {
	try {
		const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
			algorithms: [...accepted_algorithms],
			typ: "dpop+jwt",
			currentDate: new Date(now_ms),
			clockTolerance: skew_ms / 1000,
		});
		return { payload, thumbprint: await calculateJwkThumbprint(protectedHeader.jwk as JWK) };
	} catch (error) {
		// Keys that are none fail in whatever way the machine's own cryptography has for it.
		return messageOf(error);
	}
}

/** Addresses are compared as URLs are, without query and fragment (RFC 9449 section 4.3, 9). */
function isSameAddress(htu: string, expected: string): boolean {
	const url = URL.parse(htu);
	if (url === null || url.username !== "" || url.password !== "") return false;
	return `${url.origin}${url.pathname}` === expected;
}
