import type { ChangedSecret, SecretList } from "../../admin/contracts/secrets.ts";
import { type AdminProblem, problemOf } from "../../admin/problem.ts";
import type { SecretBackend } from "../../admin/secret-backend.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";

/** Values that were stored for something that may yet fail. */
export interface NewSecrets {
	/** Takes them out again. */
	undo(): Promise<void>;
}

/** Most values that come with one server. */
const secrets_max = 64;

/**
 * Stores values for everybody under names that are free: what others use is never replaced. Where
 * one is refused, none is kept.
 */
export async function storeNew(
	vault: Pick<SecretBackend, "list" | "set" | "remove">,
	values: Readonly<Record<string, string>>,
): Promise<Result<NewSecrets, AdminProblem>> {
	const wanted = Object.entries(values);
	if (wanted.length > secrets_max) {
		return fail(problemOf("invalid_request", `At most ${secrets_max} secrets come with a server.`));
	}
	const { secrets }: SecretList = wanted.length === 0 ? { secrets: [] } : await vault.list();
	const taken = wanted.find(([name]) => secrets.some((secret) => secret.name === name))?.[0];
	if (taken !== undefined) {
		const problem = problemOf("secret_refused", `There is a secret \`${taken}\` already.`);
		return fail({ ...problem, next: "Use the one that is there, or choose another name." });
	}
	const stored: ChangedSecret[] = [];
	const undo = async () => {
		for (const secret of stored) await vault.remove(secret);
	};
	for (const [name, value] of wanted) {
		const secret = { name, tenant: "", user: "" };
		const set = await vault.set({ ...secret, value });
		if (!set.ok) {
			await undo();
			return fail({ ...set.problem, message: `\`${name}\`: ${set.problem.message}` });
		}
		stored.push(secret);
	}
	return succeed({ undo });
}
