import type * as z from "zod";
import type { LoginPlan } from "./plan-login.ts";
import type { login_schema } from "./schema-login.ts";

/** Reads `identity.login`. */
export function readLogin(form: z.output<typeof login_schema> | undefined): LoginPlan | undefined {
	if (form === undefined) return undefined;
	const { accounts, registration, client_documents, scopes } = form;
	const hosts =
		client_documents === true ? ["*"] : client_documents === false ? [] : client_documents;
	return { accounts, registration, client_documents: hosts, scopes };
}
