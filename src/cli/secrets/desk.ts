import type {
	ChangedSecret,
	RotatedMaster,
	SecretFinding,
	SecretList,
} from "../../admin/contracts/secrets.ts";
import type { AdminProblem } from "../../admin/problem.ts";
import { default_secrets } from "../../config/compile-secrets.ts";
import { findConfig } from "../../config/find.ts";
import { loadSecrets } from "../../config/load.ts";
import { acquireDataLock } from "../../hosting/process/data-lock.ts";
import type { Result } from "../../lib/result.ts";
import { SecretRedactor } from "../../secrets/redactor.ts";
import { openDatabase } from "../../store/database.ts";
import { createRepositories } from "../../store/repositories.ts";
import type { AdminClient } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { databasePath, planAt } from "../data-folder.ts";
import { exit_codes } from "../exit-codes.ts";
import { CommandFailure } from "../failure.ts";
import { withGatewayOr } from "../gateway.ts";
import { settleRestore } from "../settle-restore.ts";
import { storedTools } from "./stored-tools.ts";

/** What the command does with the vault, whether a gateway runs or not. */
export interface Desk {
	list(): Promise<SecretList>;
	/** With `is_new` a value that is there already is refused. */
	set(
		secret: ChangedSecret & { readonly value: string },
		options?: { readonly is_new: boolean },
	): Promise<ChangedSecret>;
	remove(secret: ChangedSecret): Promise<ChangedSecret>;
	rotateMaster(key: string | undefined): Promise<RotatedMaster>;
	check(): Promise<readonly SecretFinding[]>;
}

/** How a desk is found. */
export interface DeskOptions {
	readonly data: string | undefined;
	/** The configuration that says where the master key is, where no gateway runs. */
	readonly config: string | undefined;
}

/** Runs `work` with the vault of the running gateway, or with that of the data folder. */
export function withDesk<Value>(
	options: DeskOptions,
	context: CommandContext,
	work: (desk: Desk) => Promise<Value>,
): Promise<Value> {
	return withGatewayOr(context, options, {
		gateway: (client) => work(remoteDesk(client)),
		without: (data) => withLocalDesk(data, options.config, context, work),
	});
}

function remoteDesk(client: AdminClient): Desk {
	return {
		list: async () => (await client.request("listSecrets")).value,
		async set({ name, ...secret }, { is_new } = { is_new: false }) {
			const body = JSON.stringify(secret);
			const headers = is_new ? { "if-none-match": "*" } : {};
			return (await client.request("setSecret", { path: { name }, body, headers })).value;
		},
		async remove({ name, tenant, user }) {
			const query = { tenant, user };
			return (await client.request("removeSecret", { path: { name }, query })).value;
		},
		async rotateMaster(key) {
			const body = JSON.stringify(key === undefined ? {} : { key });
			return (await client.request("rotateMasterKey", { body })).value;
		},
		check: async () => (await client.request("checkSecrets")).value.findings,
	};
}

/** While no gateway runs: the folder is held meanwhile, so that none is started. */
async function withLocalDesk<Value>(
	data: string,
	option: string | undefined,
	context: CommandContext,
	work: (desk: Desk) => Promise<Value>,
): Promise<Value> {
	const { clock, random, environment, version, cwd } = context;
	const found = await findConfig(option, cwd);
	const path = found.ok ? found.value : undefined;
	const secrets = await secretsOf(path, context);
	const plan = path === undefined ? undefined : await planAt(path, context);
	const lock = await acquireDataLock(data, { version }, clock);
	if (!lock.ok) throw failed("folder_in_use", lock.problem.message);
	await settleRestore(data, context).catch(async (error: unknown) => {
		await lock.value.release();
		throw error;
	});
	const database = await openDatabase({ path: databasePath(data), clock });
	try {
		if (!database.ok) throw failed(`store_${database.problem.code}`, database.problem.message);
		const { openVault } = await import("../../daemon/open-vault.ts");
		const { SecretDesk } = await import("../../daemon/secret-desk.ts");
		const { connection } = database.value;
		const { secrets: rows } = createRepositories(connection);
		const { master_key, age_days_max } = secrets;
		const tools = await storedTools(connection);
		const desk = new SecretDesk({
			vault: openVault({ master_key, data, rows, clock, random, environment }),
			redactor: new SecretRedactor(),
			...{ clock, age_days_max },
			plan: () => plan,
			tools: (server) => tools.get(server) ?? [],
			refresh: () => undefined,
		});
		return await work({
			list: () => desk.list(),
			set: async (secret, { is_new } = { is_new: false }) =>
				given(await desk.set(secret, is_new ? "absent" : undefined)),
			remove: async (secret) => given(await desk.remove(secret)),
			rotateMaster: async (key) => given(await desk.rotateMaster(key)),
			check: () => desk.check(),
		});
	} finally {
		if (database.ok) await database.value.close();
		await lock.value.release();
	}
}

/** Read apart from the rest: a configuration is refused until its secrets are stored. */
async function secretsOf(path: string | undefined, context: CommandContext) {
	if (path === undefined) return default_secrets;
	const { cwd, environment, home } = context;
	const loaded = await loadSecrets({ path, cwd, environment, home });
	if (loaded.ok) return loaded.value;
	throw new CommandFailure({
		exit_code: exit_codes.cannot_start,
		code: "config_refused",
		message: "The configuration does not say where the master key is.",
		config: loaded.problem,
	});
}

function given<Value>(result: Result<Value, AdminProblem>): Value {
	if (result.ok) return result.value;
	const { code, message, next } = result.problem;
	throw new CommandFailure({ exit_code: exit_codes.failed, code, message, next });
}

function failed(code: string, message: string): CommandFailure {
	return new CommandFailure({ exit_code: exit_codes.failed, code, message });
}
