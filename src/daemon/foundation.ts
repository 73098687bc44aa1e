import { join } from "node:path";
import { ensureAdminToken } from "../admin/token.ts";
import { describeRecovery, recoverRestore } from "../backup/replace-contents.ts";
import type { Plan } from "../config/plan.ts";
import { acquireDataLock } from "../hosting/process/data-lock.ts";
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
	const onDetail = (detail: string, message: string) => log.error({ detail }, message);
	const onRecovered = (text: string) => log.warn({ data: plan.data }, text);
	const store = await openStore(plan.data, { clock, random, onDetail, onRecovered });
	if (!store.ok) return store;
	const token = await ensureAdminToken(plan.data, random);
	if (token.ok) return succeed({ ...store.value, token: token.value });
	await store.value.database.close();
	return fail({ message: token.problem.message, next: token.problem.next });
}

/**
 * Opens the database of a data folder, whose lock this process holds, and the key to what is sealed
 * in it. A restore that was interrupted is settled first: the database may be on its way.
 */
export async function openStore(
	data: string,
	options: {
		readonly clock: Clock;
		readonly random: Random;
		readonly onDetail?: (detail: string, message: string) => void;
		/** Told of a restore that was settled: a sentence. */
		readonly onRecovered?: (text: string) => void;
	},
): Promise<Result<Pick<Foundation, "database" | "box">, StartProblem>> {
	const { clock, random, onDetail, onRecovered } = options;
	const recovered = await recoverRestore(data);
	if (!recovered.ok) {
		onDetail?.(recovered.problem.detail, recovered.problem.message);
		return fail({ message: recovered.problem.message, next: "" });
	}
	const told = describeRecovery(data, recovered.value);
	if (told !== undefined) onRecovered?.(told);
	const database = await openDatabase({ path: join(data, "moorage.db"), clock });
	if (!database.ok) {
		const { detail, message } = database.problem;
		onDetail?.(detail, message);
		return fail({ message, next: "" });
	}
	const key = await ensureKeyFile(join(data, "keys", "store-key"), box_key_bytes, random);
	if (!key.ok) {
		await database.value.close();
		return fail(key.problem);
	}
	return succeed({ database: database.value, box: new SecretBox(key.value, random) });
}

/** What is kept in a data folder on which no gateway runs, and which none can take meanwhile. */
export interface HeldStore extends Pick<Foundation, "database" | "box"> {
	close(): Promise<void>;
}

/** Opens what a gateway of this data folder would, and holds the folder so that none starts. */
export async function openHeldStore(
	data: string,
	options: { readonly clock: Clock; readonly random: Random },
): Promise<Result<HeldStore, StartProblem>> {
	const { clock } = options;
	const info = { version: product.version, started_at_ms: clock.now() };
	const lock = await acquireDataLock(data, info, clock);
	if (!lock.ok) return fail({ message: lock.problem.message, next: "" });
	const opened = await openStore(data, options);
	if (!opened.ok) {
		await lock.value.release();
		return opened;
	}
	return succeed({
		...opened.value,
		async close() {
			await opened.value.database.close();
			await lock.value.release();
		},
	});
}

/** What the lock of the data folder says of its gateway. */
export function lockInfo(plan: Plan, clock: Clock) {
	return {
		version: product.version,
		config_path: plan.source.path,
		started_at_ms: clock.now(),
	};
}
