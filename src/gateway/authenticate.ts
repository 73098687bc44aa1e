import type { IncomingMessage } from "node:http";
import type { IdentityPlan } from "../config/plan-identity.ts";
import { type CredentialProblem, credentialProblem } from "../identity/credential-problem.ts";
import type { Identified, Identity, Presented } from "../identity/identity.ts";
import type { Principal } from "../identity/principal.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { Refusal } from "./answer-error.ts";
import type { Arrival } from "./arrival.ts";
import { type ChallengedResource, challengeHeader, stepUpHeader } from "./challenge.ts";
import { certificateOf } from "./client-certificate.ts";
import { type EndpointPart, endpointPath } from "./routes.ts";

/** How a request that is not let in is answered. */
export interface Challenge {
	readonly status: 400 | 401 | 403 | 503;
	readonly headers: Readonly<Record<string, string>>;
	readonly refusal: Refusal;
	/** For the log; undefined where nothing was presented. */
	readonly detail: string | undefined;
}

/** Who a request is from, or how it is answered. */
export type Authenticated = Result<Principal, Challenge>;

/** The MCP address that a request is for. */
export interface Addressed {
	readonly name: string;
	readonly part: EndpointPart;
}

/** An address as clients know it. */
interface Place extends Addressed {
	/** Origin without a slash at the end. */
	readonly base: string;
	readonly path: string;
	readonly url: string;
	readonly resources: readonly string[];
}

interface Challenged {
	readonly base: string;
	readonly path: string;
	/** The scheme of the credential, where that is told in answers. */
	readonly scheme: "dpop" | undefined;
}

/** Finds out who sends requests to MCP addresses. */
export class Authenticator {
	readonly #identity: Identity;
	readonly #scopes: readonly string[];
	readonly #dpop_required: boolean;
	readonly #nonce_required: boolean;
	#last_place: Place | undefined;

	constructor(identity: Identity, plan: IdentityPlan | undefined) {
		this.#identity = identity;
		this.#scopes = plan?.scopes ?? [];
		this.#nonce_required = plan?.dpop_nonces === "required";
		const issuers = plan?.issuers ?? [];
		this.#dpop_required = issuers.length > 0 && issuers.every(({ dpop }) => dpop === "required");
	}

	/** Scopes that every call needs. */
	get scopes(): readonly string[] {
		return this.#scopes;
	}

	get dpop_required(): boolean {
		return this.#dpop_required;
	}

	/**
	 * Who a request is from. At once for whom is known already; `now_ms` is wall-clock time. Without
	 * identity everyone who can connect is the same person.
	 */
	identify(
		request: IncomingMessage,
		{ base }: Arrival,
		addressed: Addressed,
		now_ms: number,
	): Authenticated | Promise<Authenticated> {
		const { path, url, resources } = this.#placeOf(base, addressed);
		const { headers } = request;
		const { authorization } = headers;
		const identified: Identified | Promise<Identified> =
			authorization !== undefined && timesGiven(request.rawHeaders, "authorization") > 1
				? fail(credentialProblem("credential_malformed", "several Authorization headers"))
				: this.#identity.identify(
						{
							authorization,
							proofs: proofsOf(headers["dpop"]),
							method: request.method ?? "",
							url,
							resources,
							nonce_required: this.#nonce_required,
							connection: request.socket,
							certificate: certificateOf(request.socket),
						},
						now_ms,
					);
		const resource: Challenged = { base, path, scheme: schemeOf(authorization) };
		return identified instanceof Promise
			? identified.then((settled) => this.#judge(settled, resource))
			: this.#judge(identified, resource);
	}

	/**
	 * What every answer to a client that sends proofs, or has to, says beside: the nonce of its next
	 * one (RFC 9449 sections 8.2 and 9).
	 */
	nonceHeaders({ headers }: IncomingMessage): Readonly<Record<string, string>> | undefined {
		if (!this.#nonce_required) return undefined;
		const is_asked = this.#dpop_required || headers["dpop"] !== undefined;
		if (!is_asked && schemeOf(headers.authorization) === undefined) return undefined;
		return { "dpop-nonce": this.#identity.proof_nonce };
	}

	/** Made anew only where a request is for another address than the one before. */
	#placeOf(base: string, addressed: Addressed): Place {
		const { name, part } = addressed;
		const last = this.#last_place;
		if (last?.base === base && last.name === name && last.part === part) return last;
		const path = endpointPath(addressed);
		const resources = resourcesOf(base, addressed);
		this.#last_place = { base, name, part, path, url: base + path, resources };
		return this.#last_place;
	}

	/** The challenge for a token that lacks scopes. */
	stepUp(scopes: readonly string[], resource: Pick<ChallengedResource, "base" | "path">): string {
		const has_issuers = this.#identity.issuers.length > 0;
		return stepUpHeader(scopes, { ...resource, has_issuers });
	}

	#judge(identified: Identified, resource: Challenged): Authenticated {
		if (!identified.ok) return fail(this.#challenge(identified.problem, resource));
		const { scopes } = identified.value;
		if (scopes === undefined || this.#scopes.every((one) => scopes.includes(one))) {
			return succeed(identified.value);
		}
		const wanted = this.#scopes.join(" ");
		const message = `The credential lacks a scope that every call needs: ${wanted}.`;
		return fail({
			status: 403,
			headers: { "www-authenticate": this.stepUp(this.#scopes, resource) },
			refusal: { code: "scope_insufficient", message },
			detail: `it has "${scopes.join(" ")}"`,
		});
	}

	#challenge(problem: CredentialProblem, { base, path, scheme }: Challenged): Challenge {
		const { status, code, message, detail } = problem;
		const refusal = { code, message };
		if (status === 503) return { status, headers: { "retry-after": "5" }, refusal, detail };
		const resource: ChallengedResource = {
			base,
			path,
			has_issuers: this.#identity.issuers.length > 0,
			scopes: this.#scopes,
			dpop_required: this.#dpop_required,
		};
		const header = challengeHeader(problem, resource, scheme);
		return { status, headers: { "www-authenticate": header }, refusal, detail: detail ?? code };
	}
}

function schemeOf(authorization: string | undefined): "dpop" | undefined {
	return authorization?.slice(0, 5).toLowerCase() === "dpop " ? "dpop" : undefined;
}

/**
 * What a request of the admin API presents. A token is good that is for `/api`: one for the gateway
 * as a whole is for its MCP addresses. Answers give no nonces here, so none are wanted.
 */
export function presentedToApi(
	authorization: string,
	request: IncomingMessage | undefined,
	base: string,
): Presented {
	const [path] = (request?.url ?? "/api").split("?", 1);
	return {
		authorization,
		proofs: proofsOf(request?.headers["dpop"]),
		method: request?.method ?? "",
		url: `${base}${path}`,
		resources: [`${base}/api`],
		nonce_required: false,
		certificate: request === undefined ? undefined : certificateOf(request.socket),
	};
}

/** What tokens are issued for to be good at an address: it, in either transport, or everything. */
function resourcesOf(base: string, { name }: Addressed): string[] {
	return [
		base + endpointPath({ name, part: "mcp" }),
		base,
		base + endpointPath({ name, part: "sse" }),
	];
}

/** Several headers of a name are joined by commas, which no proof has. */
function proofsOf(header: string | string[] | undefined): readonly string[] {
	if (header === undefined) return no_proofs;
	return typeof header === "string" ? header.split(",").map((one) => one.trim()) : header;
}

const no_proofs: readonly string[] = [];

/** How often a header stands in a request: of some, Node keeps the first and drops the rest. */
function timesGiven(raw_headers: readonly string[], name: string): number {
	let times = 0;
	for (let at = 0; at < raw_headers.length; at += 2) {
		const given = raw_headers[at] ?? "";
		if (given.length === name.length && given.toLowerCase() === name) times += 1;
	}
	return times;
}
