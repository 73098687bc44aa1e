import type * as z from "zod";
import type { Expander } from "./expander.ts";
import { isSecureAddress } from "./issuer-form.ts";
import { type Located, nodeAt, offsetOf, type Placed, placedMember } from "./located.ts";
import type { FederatedPlan, LoginPlan } from "./plan-login.ts";
import { default_tenant } from "./principal-names.ts";
import type { Report } from "./report.ts";
import type { login_schema } from "./schema-login.ts";

type LoginForm = z.output<typeof login_schema>;

/** A provider before references are expanded. */
type FederatedDraft = Omit<FederatedPlan, "client_id" | "client_secret"> & {
	readonly client_id: Placed;
	readonly client_secret: Placed | undefined;
};

/** `identity.login` before references are expanded. */
export type LoginDraft = Omit<LoginPlan, "federated"> & {
	readonly federated: readonly FederatedDraft[];
};

/** Reads `identity.login`; what contradicts itself goes to the report. */
export function readLogin(
	form: LoginForm | undefined,
	dpop_nonces: LoginPlan["dpop_nonces"],
	root: Located,
	report: Report,
): LoginDraft | undefined {
	if (form === undefined) return undefined;
	const { accounts, registration, client_documents, scopes } = form;
	const hosts =
		client_documents === true ? ["*"] : client_documents === false ? [] : client_documents;
	const names = new Set<string>();
	const federated = form.federated.map((provider, index): FederatedDraft => {
		const path = ["identity", "login", "federated", index];
		if (names.has(provider.name)) {
			const text = `Another provider is called \`${provider.name}\` already.`;
			report.problem(offsetOf(root, [...path, "name"]), text, "Give each its own name.");
		}
		names.add(provider.name);
		if (!isSecureAddress(provider.issuer)) {
			const next = "Write for example `https://login.example.com`; http is for this machine only.";
			report.problem(offsetOf(root, [...path, "issuer"]), "This is not an https address.", next);
		}
		return readProvider(provider, nodeAt(root, path));
	});
	return { accounts, registration, client_documents: hosts, scopes, dpop_nonces, federated };
}

function readProvider(
	form: LoginForm["federated"][number],
	node: Located | undefined,
): FederatedDraft {
	const { name, title = name, issuer, scopes, claims, tenant, tenants, enterprise } = form;
	return {
		name,
		title,
		issuer,
		client_id: placedMember(node, "client_id") as Placed,
		client_secret: placedMember(node, "client_secret"),
		scopes,
		enterprise,
		claims: {
			tenant:
				claims.tenant === undefined
					? { kind: "fixed", name: tenant ?? default_tenant }
					: { kind: "claim", claim: claims.tenant, allowed: tenants },
			user: claims.user,
			client: undefined,
			roles: claims.roles,
			role_names: form.roles,
			scopes: undefined,
		},
	};
}

/** Expands the references that secrets of providers are. */
export function compileLogin(
	draft: LoginDraft | undefined,
	expander: Expander,
	needed_scopes: readonly string[],
): LoginPlan | undefined {
	if (draft === undefined) return undefined;
	const federated = draft.federated.map((provider): FederatedPlan => {
		const { client_id, client_secret } = provider;
		return {
			...provider,
			client_id: expander.text(client_id),
			client_secret: client_secret === undefined ? undefined : expander.text(client_secret),
		};
	});
	const scopes = [...new Set([...draft.scopes, ...needed_scopes])];
	return { ...draft, scopes, federated };
}
