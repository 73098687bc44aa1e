import type { Expander } from "./expander.ts";
import type { Placed } from "./located.ts";
import { compileLogin, type LoginDraft } from "./login-form.ts";
import type {
	IdentityPlan,
	IntrospectionPlan,
	IssuerPlan,
	IssuerSignInPlan,
} from "./plan-identity.ts";

/** How an issuer is asked, before references are expanded. */
export type IntrospectionDraft = Omit<IntrospectionPlan, "client_id" | "client_secret"> & {
	readonly client_id: Placed;
	readonly client_secret: Placed;
};

/** Who this gateway is at an issuer, before references are expanded. */
export type SignInDraft = Omit<IssuerSignInPlan, "client_id" | "client_secret"> & {
	readonly client_id: Placed;
	readonly client_secret: Placed | undefined;
};

/** An issuer before references are expanded. */
export type IssuerDraft = Omit<IssuerPlan, "introspection" | "sign_in"> & {
	readonly introspection: IntrospectionDraft | undefined;
	readonly sign_in: SignInDraft | undefined;
};

/** `identity` before references are expanded. */
export type IdentityDraft = Omit<IdentityPlan, "issuers" | "login"> & {
	readonly issuers: readonly IssuerDraft[];
	readonly login: LoginDraft | undefined;
};

/**
 * Expands the references that an identity's secrets are. The authorization server here gives what
 * calls need: the scopes of tools and those of every call need not be listed for it once more.
 */
export function compileIdentity(
	draft: IdentityDraft | undefined,
	expander: Expander,
	tool_scopes: readonly string[],
): IdentityPlan | undefined {
	if (draft === undefined) return undefined;
	const issuers = draft.issuers.map((issuer): IssuerPlan => {
		const { introspection, sign_in } = issuer;
		return {
			...issuer,
			introspection: introspection && {
				url: introspection.url,
				client_id: expander.text(introspection.client_id),
				client_secret: expander.text(introspection.client_secret),
			},
			sign_in: sign_in && {
				...sign_in,
				client_id: expander.text(sign_in.client_id),
				client_secret: sign_in.client_secret && expander.text(sign_in.client_secret),
			},
		};
	});
	const needed = [...draft.scopes, ...tool_scopes];
	return { ...draft, issuers, login: compileLogin(draft.login, expander, needed) };
}
