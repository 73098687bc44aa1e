import type { Result } from "../lib/result.ts";
import type {
	ChangedSecret,
	RotatedMaster,
	SecretFinding,
	SecretList,
} from "./contracts/secrets.ts";
import type { AdminProblem } from "./problem.ts";

/** What the admin API can see and do with the vault. */
export interface SecretBackend {
	list(): Promise<SecretList>;
	/**
	 * Empty texts for `tenant` and `user`: for everybody.
	 * @param expected the entity tag of the value that is to be replaced, its `changed_at_ms` in
	 *   quotes, as If-Match names it, or `absent`: refused where it is another by now
	 */
	set(
		secret: ChangedSecret & { readonly value: string },
		expected?: string,
	): Promise<Result<ChangedSecret, AdminProblem>>;
	remove(secret: ChangedSecret): Promise<Result<ChangedSecret, AdminProblem>>;
	/** `key`: the new master key, where Moorage does not keep it itself. */
	rotateMaster(key: string | undefined): Promise<Result<RotatedMaster, AdminProblem>>;
	check(): Promise<readonly SecretFinding[]>;
}
