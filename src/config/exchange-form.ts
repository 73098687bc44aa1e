import type { OAuthDraft, ServerDraft, SubjectDraft } from "./draft.ts";
import type { Expander } from "./expander.ts";
import { isSecureAddress } from "./issuer-form.ts";
import { type Located, type LocatedEntry, member, placedMember } from "./located.ts";
import type { OAuthGrant, OAuthSpec, OAuthSubject, Scope, ServerPlan } from "./plan.ts";
import type { IdentityPlan } from "./plan-identity.ts";
import type { ProviderPlan } from "./plan-login.ts";
import type { Report } from "./report.ts";

/** Whether a token comes about by exchanging what an identity provider says of somebody. */
export function isExchange(grant: OAuthGrant): boolean {
	return grant === "id_jag" || grant === "token_exchange";
}

/** Whether a server is used with who whoever calls is at an identity provider. */
export function exchangesIdentity({ spec }: Pick<ServerPlan, "spec">): boolean {
	if (spec.driver !== "http" || spec.auth === undefined) return false;
	return isExchange(spec.auth.grant) && spec.auth.subject === undefined;
}

/** Reads `oauth.subject`; what it must have was seen to by the form. */
export function readSubject(node: Located | undefined): SubjectDraft | undefined {
	const [issuer, client_id, token] = (["issuer", "client_id", "token"] as const).map((key) =>
		placedMember(node, key),
	);
	if (issuer === undefined || client_id === undefined || token === undefined) return undefined;
	return { issuer, client_id, client_secret: placedMember(node, "client_secret"), token };
}

/** The subject with its references expanded; the secret and the token stay templates. */
export function compileSubject(
	server: string,
	{ issuer, client_id, client_secret, token }: SubjectDraft,
	expander: Expander,
	report: Report,
): OAuthSubject {
	const place = { server, part: "auth" } as const;
	const address = expander.text(issuer);
	if (!isSecureAddress(address)) {
		const next = "Write for example `https://login.example.com`; http is for this machine only.";
		report.problem(issuer.start, "This is not an https address.", next);
	}
	return {
		issuer: address,
		client_id: expander.text(client_id),
		client_secret:
			client_secret && expander.template(client_secret, { ...place, name: "client_secret" }),
		token: expander.template(token, { ...place, name: "token" }),
	};
}

/**
 * What somebody's provider says of them goes to one authorization server, which the configuration
 * names: a remote server names whichever it likes, and would choose who is told.
 */
export function checkExchangeIssuer(
	{ grant, issuer }: OAuthSpec,
	{ client_id }: OAuthDraft,
	report: Report,
): void {
	if (!isExchange(grant) || issuer !== undefined || client_id === undefined) return;
	report.problem(
		client_id.start,
		`\`grant: ${grant}\` shows an identity to an authorization server, and nothing says to which.`,
		"Set `issuer` under `oauth` to the authorization server that `client_id` belongs to.",
	);
}

/** What decides whether there is anything to exchange. */
export interface ExchangeFacts {
	readonly auth: OAuthDraft;
	readonly entry: LocatedEntry;
	readonly scope: Scope;
	readonly identity: boolean;
}

/**
 * An exchange needs somebody whose identity it is of: the person whose instance it is, or a subject
 * of the configuration; and a client that both sides know.
 */
export function checkExchange(facts: ExchangeFacts, report: Report): void {
	const { auth, entry, scope, identity } = facts;
	const { grant, provider, subject, client_id } = auth;
	const block = member(entry.value, "oauth")?.value;
	const at = (key: string) => member(block, key)?.key_start ?? entry.key_start;
	if (!isExchange(grant)) {
		for (const key of ["provider", "subject"] as const) {
			if (auth[key] === undefined) continue;
			const message = `\`${key}\` has no meaning with \`grant: ${grant}\`.`;
			report.problem(at(key), message, "Remove it, or set `grant: id_jag` or `token_exchange`.");
		}
		return;
	}
	if (client_id === undefined) {
		const next = "Register Moorage there, and set `client_id` and its secret under `oauth`.";
		report.problem(at("grant"), `\`grant: ${grant}\` needs a \`client_id\`.`, next);
	}
	if (provider !== undefined && subject !== undefined) {
		const message = "`provider` and `subject` exclude each other.";
		report.problem(
			at("provider"),
			message,
			"Remove the one whose identity is not to be exchanged.",
		);
	}
	if (subject !== undefined || (identity && (scope === "user" || scope === "session"))) return;
	const why = identity ? `with \`scope: ${scope}\`` : "without `identity`";
	report.problem(
		at("grant"),
		`\`grant: ${grant}\` exchanges the identity of whoever calls, and ${why} there is none.`,
		"Set `scope: user`, or name an identity of Moorage's own under `oauth.subject`.",
	);
}

/** A provider that a server names has to be one at which people sign in. */
export function checkProviders(
	servers: readonly ServerDraft[],
	identity: IdentityPlan | undefined,
	report: Report,
): void {
	const known = providersOf(identity);
	for (const server of servers) {
		const provider = server.driver === "http" ? server.auth?.provider : undefined;
		if (provider === undefined || known.some(({ name }) => name === provider.text)) continue;
		report.problem(
			provider.start,
			"People sign in at no provider of this name.",
			"Use a `name` of `identity.login.federated`, or one of `sign_in` under `identity.issuers`.",
		);
	}
}

/** Everywhere that people sign in, with who this gateway is there. */
export function providersOf(identity: IdentityPlan | undefined): Omit<ProviderPlan, "claims">[] {
	const issuers = (identity?.issuers ?? []).flatMap(({ issuer, sign_in }) =>
		sign_in === undefined ? [] : [{ ...sign_in, issuer }],
	);
	return [...(identity?.login?.federated ?? []), ...issuers];
}
