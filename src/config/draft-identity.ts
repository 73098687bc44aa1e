import type { Expander } from "./expander.ts";
import type { Placed } from "./located.ts";
import { compileLogin, type LoginDraft } from "./login-form.ts";
import type { IdentityPlan, IntrospectionPlan, IssuerPlan } from "./plan-identity.ts";

/** How an issuer is asked, before references are expanded. */
export type IntrospectionDraft = Omit<IntrospectionPlan, "client_id" | "client_secret"> & {
	readonly client_id: Placed;
	readonly client_secret: Placed;
};

/** An issuer before references are expanded. */
export type IssuerDraft = Omit<IssuerPlan, "introspection"> & {
	readonly introspection: IntrospectionDraft | undefined;
};

/** `identity` before references are expanded. */
export type IdentityDraft = Omit<IdentityPlan, "issuers" | "login"> & {
	readonly issuers: readonly IssuerDraft[];
	readonly login: LoginDraft | undefined;
};

/** Expands the references that an identity's secrets are. */
export function compileIdentity(
	draft: IdentityDraft | undefined,
	expander: Expander,
): IdentityPlan | undefined {
	if (draft === undefined) return undefined;
	const issuers = draft.issuers.map((issuer): IssuerPlan => {
		const { introspection } = issuer;
		if (introspection === undefined) return { ...issuer, introspection };
		const { url, client_id, client_secret } = introspection;
		const expanded = {
			url,
			client_id: expander.text(client_id),
			client_secret: expander.text(client_secret),
		};
		return { ...issuer, introspection: expanded };
	});
	return { ...draft, issuers, login: compileLogin(draft.login, expander) };
}
