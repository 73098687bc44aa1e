import { dirname, join, resolve } from "node:path";
import { type BackupSources, type MadeBackup, makeBackup } from "../../backup/make-backup.ts";
import { findConfig } from "../../config/find.ts";
import { lock_file_name } from "../../hosting/packages/lock-file.ts";
import { acquireDataLock } from "../../hosting/process/data-lock.ts";
import { counted } from "../../lib/counted.ts";
import { defineCommand } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { dataFolder } from "../data-folder.ts";
import { exit_codes } from "../exit-codes.ts";
import { backupFailure, CommandFailure } from "../failure.ts";
import { openClient } from "../gateway.ts";
import { withProgress } from "../progress.ts";
import { settleRestore } from "../settle-restore.ts";

/** `moorage backup` */
export const backup_command = defineCommand({
	name: "backup",
	summary: "copy everything the gateway keeps, while it runs",
	description:
		"Copies sessions, catalogs, versions, volumes, keys, moorage.lock and the configuration into " +
		"a new folder, with a digest of each file. A running gateway goes on: each server stands " +
		"still only while its own volumes are copied. Installed packages are left out, because the " +
		"lock says how to have the same again. The folder holds secrets: it is readable by you alone.",
	args: { folder: { description: "folder to make", kind: "required" } },
	options: {},
	examples: [
		{ line: "moorage backup /backups/moorage-monday", meaning: "a backup in a folder of its own" },
		{ line: "moorage backup backup --json", meaning: "for programs" },
	],
	async run({ args, options }, context) {
		const path = resolve(context.cwd, args.folder);
		const data = await dataFolder(context, options.data);
		const client = await openClient(data, context);
		const { output } = context;
		try {
			const making =
				client === undefined
					? backupAlone(path, data, context)
					: client
							.request("createBackup", { body: JSON.stringify({ path }), wait_ms: 0 })
							.then(({ value }) => value);
			const made = await withProgress(context, "Copying", making);
			if (options.json) output.json(made);
			else output.line(`Wrote ${counted(made.files, "file")}, ${made.bytes} bytes, to ${path}.`);
			return exit_codes.ok;
		} finally {
			await client?.close();
		}
	},
});

/** A backup while no gateway runs: the folder is held meanwhile, so that none is started. */
async function backupAlone(
	path: string,
	data: string,
	context: CommandContext,
): Promise<MadeBackup> {
	const { clock, random, version, cwd } = context;
	const lock = await acquireDataLock(data, { version }, clock);
	if (!lock.ok) {
		const { message } = lock.problem;
		throw new CommandFailure({ exit_code: exit_codes.failed, code: "folder_in_use", message });
	}
	try {
		await settleRestore(data, context);
		const found = await findConfig(undefined, cwd);
		const path_of_config = found.ok ? found.value : undefined;
		const config =
			path_of_config === undefined
				? []
				: [path_of_config, join(dirname(path_of_config), lock_file_name)];
		const sources: BackupSources = {
			data,
			config,
			version,
			clock,
			random,
			still: () => Promise.resolve(() => Promise.resolve()),
			holdAudit: () => Promise.resolve(() => undefined),
			flush: () => Promise.resolve(),
		};
		const made = await makeBackup(path, sources);
		if (!made.ok) throw backupFailure(made.problem);
		return made.value;
	} finally {
		await lock.value.release();
	}
}
