import { join } from "node:path";
import { ensureAdminToken } from "../admin/token.ts";
import type { Plan } from "../config/plan.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { box_key_bytes, SecretBox } from "../secrets/box.ts";
import { ensureKeyFile } from "../secrets/key-file.ts";
import { type Database, openDatabase } from "../store/database.ts";
import type { Log } from "../telemetry/log.ts";
import { product } from "./product.ts";
import type { StartProblem } from "./start-problem.ts";

/** What the house stands on: what it keeps, and the keys to it. */
export interface Foundation {
	readonly database: Database;
	/** Opens the admin API. */
	readonly token: string;
	/** What the plans of versions are sealed with. */
	readonly box: SecretBox;
}

/** Opens what is kept in the data folder of a plan, which this process holds the lock of. */
export async function openFoundation(
	plan: Plan,
	{ clock, log, random }: { readonly clock: Clock; readonly log: Log; readonly random: Random },
): Promise<Result<Foundation, StartProblem>> {
	const database = await openDatabase({ path: join(plan.data, "moorage.db"), clock });
	if (!database.ok) {
		log.error({ detail: database.problem.detail }, database.problem.message);
		return fail({ message: database.problem.message, next: "" });
	}
	const token = await ensureAdminToken(plan.data, random);
	if (!token.ok) {
		await database.value.close();
		return fail({ message: token.problem.message, next: token.problem.next });
	}
	const key = await ensureKeyFile(join(plan.data, "keys", "store-key"), box_key_bytes, random);
	if (!key.ok) {
		await database.value.close();
		return fail(key.problem);
	}
	const box = new SecretBox(key.value, random);
	return succeed({ database: database.value, token: token.value, box });
}

/** What the lock of the data folder says of its gateway. */
export function lockInfo(plan: Plan, clock: Clock) {
	return {
		version: product.version,
		config_path: plan.source.path,
		started_at_ms: clock.now(),
	};
}
