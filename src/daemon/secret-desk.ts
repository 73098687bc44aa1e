import type { ChangedSecret, SecretFinding, SecretList } from "../admin/contracts/secrets.ts";
import { type AdminProblem, problem_facts, problemOf } from "../admin/problem.ts";
import type { SecretBackend } from "../admin/secret-backend.ts";
import { fitsTag } from "../lib/entity-tag.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { parseMasterKey } from "../secrets/master-key.ts";
import type { SecretRedactor } from "../secrets/redactor.ts";
import type { ValueProblem } from "../secrets/values.ts";
import type { Vault } from "../secrets/vault.ts";
import { checkSecrets, type SecretCheckParts } from "./check-secrets.ts";

/** What the desk works with. */
export interface SecretDeskParts extends SecretCheckParts {
	readonly vault: Vault;
	readonly redactor: Pick<SecretRedactor, "add">;
	/** Brings changed values to what runs; nobody waits for it. */
	refresh(): void;
}

/** What people do with the vault, in a gateway that runs and where none does. */
export class SecretDesk implements SecretBackend {
	readonly #parts: SecretDeskParts;

	constructor(parts: SecretDeskParts) {
		this.#parts = parts;
	}

	async list(): Promise<SecretList> {
		const { vault } = this.#parts;
		const opened = await vault.open();
		const secrets = (await vault.list()).map((info) => ({ ...info }));
		return opened.ok ? { secrets } : { secrets, locked: sentence(opened.problem) };
	}

	async set(
		{ value, ...secret }: ChangedSecret & { readonly value: string },
		expected?: string,
	): Promise<Result<ChangedSecret, AdminProblem>> {
		const { vault, redactor } = this.#parts;
		// Before anything can go wrong and be written down.
		redactor.add(value);
		const opened = await vault.open();
		if (!opened.ok) return fail(problem("secret_unavailable", opened.problem));
		const fits =
			expected === undefined
				? undefined
				: (tag: string | undefined) =>
						expected === "absent" ? tag === undefined : fitsTag(expected, tag);
		const stored = await vault.set(secret.name, secret, value, fits);
		if (!stored.ok) {
			if (stored.problem.changed) {
				return fail(problemOf("edited_meanwhile", stored.problem.message));
			}
			return fail(problem("secret_refused", stored.problem));
		}
		this.#parts.refresh();
		return succeed(secret);
	}

	async remove(secret: ChangedSecret): Promise<Result<ChangedSecret, AdminProblem>> {
		if (await this.#parts.vault.remove(secret.name, secret)) return succeed(secret);
		return fail({
			code: "secret_unknown",
			message: `There is no secret \`${secret.name}\`${whose(secret)}.`,
			next: problem_facts.secret_unknown.next,
		});
	}

	async rotateMaster(
		text: string | undefined,
	): Promise<Result<{ master_key_id: string }, AdminProblem>> {
		const given = text === undefined ? undefined : parseMasterKey(text, "standard input");
		if (given?.ok === false) return fail(problem("secret_refused", given.problem));
		const rotated = await this.#parts.vault.rotateMaster(given?.value);
		if (!rotated.ok) return fail(problem("secret_unavailable", rotated.problem));
		return succeed({ master_key_id: rotated.value.id });
	}

	check(): Promise<SecretFinding[]> {
		return checkSecrets(this.#parts.vault, this.#parts);
	}
}

function problem(
	code: "secret_unavailable" | "secret_refused",
	{ message, next }: ValueProblem,
): AdminProblem {
	return { code, message, next };
}

function sentence({ message, next }: ValueProblem): string {
	return `${message} ${next}`;
}

function whose({ tenant, user }: ChangedSecret): string {
	if (user !== "") return ` for ${tenant}/${user}`;
	return tenant === "" ? "" : ` for the tenant ${tenant}`;
}
