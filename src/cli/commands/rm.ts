import { resolve } from "node:path";
import { removeServer } from "../../config/edit.ts";
import { findConfig } from "../../config/find.ts";
import { defineCommand } from "../command.ts";
import { dataFolder } from "../data-folder.ts";
import { exit_codes } from "../exit-codes.ts";
import { CommandFailure } from "../failure.ts";
import { noGateway, openClient } from "../gateway.ts";
import { withProgress } from "../progress.ts";

/** `moorage rm` */
export const rm_command = defineCommand({
	name: "rm",
	summary: "remove a server",
	description:
		"Takes a server out of the configuration. A running gateway stops it at once. Without one, " +
		"the configuration of this folder is changed. What the server has stored stays.",
	args: { name: { description: "name of the server", kind: "required" } },
	options: {
		config: {
			flags: "--config <file>",
			description: "the configuration to change when no gateway runs",
			kind: "value",
		},
	},
	examples: [{ line: "moorage rm memory", meaning: "stop hosting it" }],
	async run({ args, options }, context) {
		const data = await dataFolder(context, options.data);
		const client = await openClient(data, context);
		let config: string;
		if (client === undefined) {
			config = await editFile(args.name, options.config, data, context.cwd);
		} else {
			try {
				const removing = client.request("removeServer", { path: { name: args.name } });
				const { value } = await withProgress(context, `Removing ${args.name}`, removing);
				config = value.config;
			} finally {
				await client.close();
			}
		}
		if (options.json) context.output.json({ name: args.name, config });
		else if (config === "") context.output.line(`Removed the fork "${args.name}" and its files.`);
		else context.output.line(`Removed "${args.name}" from ${config}.`);
		return exit_codes.ok;
	},
});

async function editFile(
	name: string,
	option: string | undefined,
	data: string,
	cwd: string,
): Promise<string> {
	const found = await findConfig(option, cwd);
	const path = found.ok ? found.value : resolve(cwd, option ?? "");
	if (path === undefined) throw noGateway(data);
	const edited = await removeServer(path, name);
	if (edited.ok) return path;
	throw new CommandFailure({
		exit_code: exit_codes.cannot_start,
		code: "config_refused",
		message: "The configuration was not changed.",
		config: [edited.problem],
	});
}
