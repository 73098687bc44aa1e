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
	/** Empty texts for `tenant` and `user`: for everybody. */
	set(
		secret: ChangedSecret & { readonly value: string },
	): Promise<Result<ChangedSecret, AdminProblem>>;
	remove(secret: ChangedSecret): Promise<Result<ChangedSecret, AdminProblem>>;
	/** `key`: the new master key, where Moorage does not keep it itself. */
	rotateMaster(key: string | undefined): Promise<Result<RotatedMaster, AdminProblem>>;
	check(): Promise<readonly SecretFinding[]>;
}
