import { hashApiKey, newApiKey } from "../../identity/api-keys.ts";
import { defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";

/** `moorage key` */
export const key_command = defineCommand({
	name: "key",
	summary: "make an API key for a person",
	description:
		"Makes an API key and prints it once, with the entry for `identity.keys` of moorage.yaml " +
		"that lets it in. Only the key's hash stands there; nothing keeps the key itself. A client " +
		"sends it as `Authorization: Bearer KEY`; `moorage stdio` takes it from MOORAGE_KEY.",
	args: {
		action: { description: "`new`", kind: "required" },
		name: { description: "what the key is called, such as alice-laptop", kind: "required" },
	},
	options: {
		tenant: { flags: "--tenant <name>", description: "tenant of its holder", kind: "value" },
		user: { flags: "--user <name>", description: "the person it belongs to", kind: "value" },
		expires: {
			flags: "--expires <day>",
			description: "day from which on it is refused, such as 2027-01-31",
			kind: "value",
		},
	},
	examples: [
		{ line: "moorage key new alice-laptop --user alice", meaning: "a key for Alice" },
		{ line: "moorage key new ci --tenant acme --expires 2027-01-31", meaning: "one that expires" },
	],
	run: async ({ args, options }, { output, random }) => {
		if (args.action !== "new") {
			const message = `There is no \`moorage key ${args.action}\`.`;
			throw usageFailure(message, "Write `moorage key new NAME`.");
		}
		const key = newApiKey(random);
		const { tenant, user, expires } = options;
		const entry = { name: args.name, hash: `sha256:${hashApiKey(key)}`, tenant, user, expires };
		if (options.json) {
			output.json({ key, entry });
			return exit_codes.ok;
		}
		const members = Object.entries(entry).filter(([, value]) => value !== undefined);
		const text = members.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(", ");
		output.note("The key, which is shown only now:");
		output.line(key);
		output.note("The entry for moorage.yaml, under `identity: { keys: [...] }`:");
		output.line(`- { ${text} }`);
		return exit_codes.ok;
	},
});
