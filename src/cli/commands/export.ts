import { readFile, stat, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { withoutSecrets } from "../../backup/without-secrets.ts";
import { findConfig } from "../../config/find.ts";
import { SqlCatalogRepository } from "../../store/catalog-repository.ts";
import { openDatabase } from "../../store/database.ts";
import { SqlVersionRepository } from "../../store/version-repository.ts";
import { defineCommand } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { databasePath, dataFolder } from "../data-folder.ts";
import { exit_codes } from "../exit-codes.ts";
import { CommandFailure } from "../failure.ts";
import { findGateway } from "../gateway.ts";

/** `moorage export` */
export const export_command = defineCommand({
	name: "export",
	summary: "write configuration, catalogs and versions, without secrets",
	description:
		"Writes the configuration, what every server offers, and its versions as one JSON document " +
		"that can be shown to others: environments, headers, keys and credentials in it are " +
		"references to variables. Look it over all the same: a secret in an unusual place is not " +
		"recognised.",
	args: { file: { description: "file to write; else it is printed", kind: "optional" } },
	options: {},
	examples: [
		{ line: "moorage export", meaning: "print it" },
		{ line: "moorage export moorage-export.json", meaning: "write it to a file" },
	],
	async run({ args, options }, context) {
		const data = await dataFolder(context, options.data);
		const document = {
			format: 1,
			moorage: context.version,
			exported_at_ms: context.clock.now(),
			configuration: await configuration(data, context),
			...(await stored(data)),
		};
		const text = JSON.stringify(document, undefined, "\t");
		if (args.file === undefined) {
			context.output.raw(text);
			return exit_codes.ok;
		}
		const path = resolve(context.cwd, args.file);
		await write(path, `${text}\n`);
		if (options.json) context.output.json({ path });
		else context.output.line(`Written to ${path}.`);
		return exit_codes.ok;
	},
});

async function write(path: string, text: string): Promise<void> {
	try {
		await writeFile(path, text, { mode: 0o600, flag: "wx" });
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		throw new CommandFailure({
			exit_code: exit_codes.failed,
			code: "export_failed",
			message: `${path} could not be written (${code ?? "unknown reason"}).`,
			next: "Name a file that does not exist yet, in a folder of yours.",
		});
	}
}

/** The configuration of the running gateway, else the one found in the working directory. */
async function configuration(data: string, context: CommandContext): Promise<unknown> {
	const gateway = await findGateway(data, context);
	const running = gateway.state === "running" ? gateway.record.config_path : undefined;
	const found = await findConfig(undefined, context.cwd);
	const path = running ?? (found.ok ? found.value : undefined);
	if (path === undefined) return null;
	return withoutSecrets(await readFile(path, "utf8"));
}

async function stored(data: string) {
	const path = databasePath(data);
	const known = await stat(path).then(
		() => true,
		() => false,
	);
	if (!known) return { catalogs: [], versions: [] };
	const opened = await openDatabase({ path });
	if (!opened.ok) {
		const { code, message } = opened.problem;
		throw new CommandFailure({ exit_code: exit_codes.failed, code: `store_${code}`, message });
	}
	const { connection } = opened.value;
	try {
		const catalogs = await new SqlCatalogRepository(connection).load();
		const versions = await new SqlVersionRepository(connection).load();
		return {
			catalogs: catalogs.map(({ server, body }) => ({ server, ...(JSON.parse(body) as object) })),
			// Plans are left out: they hold environments. So are fingerprints, which are made of them.
			versions: versions.map(({ plan: _plan, fingerprint: _fingerprint, identity, ...rest }) => ({
				...rest,
				...(identity === undefined ? {} : { identity: JSON.parse(identity) as unknown }),
			})),
		};
	} finally {
		await opened.value.close();
	}
}
