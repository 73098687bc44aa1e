import type {
	ChangedSecret,
	SecretFinding,
	SecretList,
} from "../../src/admin/contracts/secrets.ts";
import { type AdminProblem, problemOf } from "../../src/admin/problem.ts";
import type { SecretBackend } from "../../src/admin/secret-backend.ts";
import { fail, type Result, succeed } from "../../src/lib/result.ts";

/** A vault that does nothing and remembers what it was asked. It knows one secret, `github`. */
export class RecordingSecrets implements SecretBackend {
	readonly #calls: string[];

	constructor(calls: string[]) {
		this.#calls = calls;
	}

	list(): Promise<SecretList> {
		this.#calls.push("secrets.list()");
		const ages = { created_at_ms: 1, changed_at_ms: 2, used_at_ms: undefined, used_by: undefined };
		return Promise.resolve({ secrets: [{ name: "github", tenant: "", user: "", ...ages }] });
	}

	set(
		secret: ChangedSecret & { readonly value: string },
		expected?: string,
	): Promise<Result<ChangedSecret, AdminProblem>> {
		const { value, ...changed } = secret;
		const given = expected === undefined ? "" : `,${expected}`;
		this.#calls.push(`secrets.set(${Object.values(changed).join(",")}${given})`);
		if (expected === '"0"') {
			return Promise.resolve(fail(problemOf("edited_meanwhile", "Somebody was quicker.")));
		}
		if (value !== "") return Promise.resolve(succeed(changed));
		return Promise.resolve(fail(problemOf("secret_refused", "The value is too short.")));
	}

	remove(secret: ChangedSecret): Promise<Result<ChangedSecret, AdminProblem>> {
		this.#calls.push(`secrets.remove(${Object.values(secret).join(",")})`);
		if (secret.name === "github") return Promise.resolve(succeed(secret));
		return Promise.resolve(fail(problemOf("secret_unknown", "There is no such secret.")));
	}

	rotateMaster(key: string | undefined): Promise<Result<{ master_key_id: string }, AdminProblem>> {
		this.#calls.push(`secrets.rotateMaster(${key === undefined ? "" : "key"})`);
		return Promise.resolve(succeed({ master_key_id: "0123456789abcdef" }));
	}

	check(): Promise<SecretFinding[]> {
		this.#calls.push("secrets.check()");
		return Promise.resolve([]);
	}
}
