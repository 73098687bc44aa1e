import { constants } from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { config_folder } from "../../backup/make-backup.ts";
import { checkBackup, isConfig, restoreBackup } from "../../backup/restore-backup.ts";
import { acquireDataLock } from "../../hosting/process/data-lock.ts";
import { all_migrations } from "../../store/migrate.ts";
import { defineCommand } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { dataFolder } from "../data-folder.ts";
import { exit_codes } from "../exit-codes.ts";
import { backupFailure, CommandFailure } from "../failure.ts";
import { withProgress } from "../progress.ts";

/** `moorage restore` */
export const restore_command = defineCommand({
	name: "restore",
	summary: "put a backup back",
	description:
		"Puts what `moorage backup` wrote into a data folder that no gateway runs on. Every file is " +
		"checked first, and nothing is touched if one is not as it was written. A folder with " +
		"something in it is replaced only with --force. The configuration stays in the backup " +
		"unless --config says where it goes.",
	args: { backup: { description: "folder that `moorage backup` made", kind: "required" } },
	options: {
		config: {
			flags: "--config <folder>",
			description: "also write the configuration and its lock into this folder",
			kind: "value",
		},
		force: { flags: "--force", description: "replace what is there", kind: "switch" },
	},
	examples: [
		{ line: "moorage restore /backups/moorage-monday", meaning: "into this folder's .moorage" },
		{
			line: "moorage restore backup --data /srv/moorage --config /etc/moorage --force",
			meaning: "with its configuration, over what is there",
		},
	],
	async run({ args, options }, context) {
		const backup = resolve(context.cwd, args.backup);
		const data = await dataFolder(context, options.data);
		const migrations = Object.keys(all_migrations);
		// Before the data folder is even made: a damaged backup leaves no trace.
		const checking = checkBackup(backup, migrations);
		const checked = await withProgress(context, "Checking the backup", checking);
		if (!checked.ok) throw backupFailure(checked.problem);
		const lock = await acquireDataLock(data, { version: context.version }, context.clock);
		if (!lock.ok) {
			const { message } = lock.problem;
			throw new CommandFailure({ exit_code: exit_codes.failed, code: "folder_in_use", message });
		}
		try {
			const { random, output } = context;
			const { force } = options;
			const onRecovered = (text: string) => output.note(text);
			const restoring = restoreBackup(backup, { data, force, migrations, random, onRecovered });
			const restored = await withProgress(context, "Restoring", restoring);
			if (!restored.ok) throw backupFailure(restored.problem);
			const config = restored.value.entries
				.filter((entry) => entry.kind === "file" && isConfig(entry.path))
				.map(({ path }) => join(backup, path));
			if (options.config !== undefined) {
				await placeConfig(config, resolve(context.cwd, options.config), force);
			}
			report({ backup, data, config: options.config }, options.json, context);
			return exit_codes.ok;
		} finally {
			await lock.value.release();
		}
	},
});

async function placeConfig(files: readonly string[], folder: string, force: boolean) {
	await mkdir(folder, { recursive: true });
	for (const file of files) {
		const target = join(folder, basename(file));
		try {
			await copyFile(file, target, force ? 0 : constants.COPYFILE_EXCL);
		} catch (error) {
			const { code } = error as NodeJS.ErrnoException;
			throw new CommandFailure({
				exit_code: exit_codes.failed,
				code: "config_not_restored",
				message: `The data is restored, but ${target} could not be written (${code ?? "unknown"}).`,
				next: `Copy ${file} yourself, or restore again with --force.`,
			});
		}
	}
}

function report(
	done: { backup: string; data: string; config: string | undefined },
	json: boolean,
	{ output }: CommandContext,
): void {
	if (json) {
		output.json(done);
		return;
	}
	output.line(`Restored into ${done.data}.`);
	if (done.config === undefined) {
		output.note(`The configuration is in ${join(done.backup, config_folder)}.`);
	}
}
