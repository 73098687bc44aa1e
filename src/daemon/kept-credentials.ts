import type { Plan } from "../config/plan.ts";
import type { KeptCredential } from "../policy/checklist.ts";
import type { Repositories } from "../store/repositories.ts";

/** Where credentials are kept. */
export type CredentialRepositories = Pick<Repositories, "people" | "secrets">;

/** Secrets of the vault and API keys, with how old they are. */
export async function keptCredentials(
	plan: Plan,
	{ people, secrets }: CredentialRepositories,
): Promise<KeptCredential[]> {
	const [keys, values] = await Promise.all([people.keys(), secrets.list()]);
	return [
		...values.map(({ name, tenant, user, changed_at_ms }) => ({
			name: `the secret ${[tenant, user, name].filter((part) => part !== "").join("/")}`,
			made_at_ms: changed_at_ms,
			expires_at_ms: undefined,
		})),
		...keys.map(({ name, created_at_ms, expires_at_ms }) => ({
			name: `the key ${name}`,
			made_at_ms: created_at_ms,
			expires_at_ms,
		})),
		// The configuration says nothing of when they were made.
		...(plan.identity?.keys ?? []).map(({ name, expires_at_ms }) => ({
			name: `the key ${name}`,
			made_at_ms: undefined,
			expires_at_ms,
		})),
	];
}
