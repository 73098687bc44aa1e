import type { KeyEntry } from "../../admin/contract-people.ts";
import { hashApiKey, newApiKey } from "../../identity/api-keys.ts";
import { defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { type Output, printable } from "../output.ts";
import { withPeople } from "../people.ts";
import { minuteOf } from "./user.ts";

/** `moorage key` */
export const key_command = defineCommand({
	name: "key",
	summary: "API keys of people and programs",
	description:
		"Makes, lists and removes API keys. `add` makes one that works at once where the configuration has `identity`, and " +
		"prints it this once; `new` prints one with the entry for `identity.keys` of moorage.yaml that lets it in. " +
		"Only a key's hash is kept anywhere. A client sends it as `Authorization: Bearer KEY`; " +
		"`moorage stdio` takes it from MOORAGE_KEY. Works on the running gateway, and on its data " +
		"folder when none runs.",
	args: {
		action: { description: "`add`, `ls`, `rm` or `new`", kind: "required" },
		name: { description: "what the key is called, such as alice-laptop", kind: "optional" },
	},
	options: {
		tenant: { flags: "--tenant <name>", description: "tenant of its holder", kind: "value" },
		user: { flags: "--user <name>", description: "the person it belongs to", kind: "value" },
		role: {
			flags: "--role <name>",
			description: "a role it gives (default: those of its holder)",
			kind: "list",
		},
		scope: { flags: "--scope <name>", description: "limit it to this scope", kind: "list" },
		expires: {
			flags: "--expires <day>",
			description: "day from which on it is refused, such as 2027-01-31",
			kind: "value",
		},
	},
	examples: [
		{ line: "moorage key add alice-laptop --user alice", meaning: "a key for Alice" },
		{ line: "moorage key add ci --tenant acme --scope billing", meaning: "a limited one" },
		{ line: "moorage key ls", meaning: "all of them, with their last use" },
		{ line: "moorage key rm alice-laptop", meaning: "it is refused from then on" },
		{ line: "moorage key new ci --expires 2027-01-31", meaning: "one for moorage.yaml" },
	],
	run: async ({ args, options }, context) => {
		const { output } = context;
		if (args.action === "ls") {
			return withPeople(context, options, async (people) => {
				const keys = await people.keys();
				if (options.json) output.json({ keys });
				else printKeys(keys, output);
				return exit_codes.ok;
			});
		}
		const name = args.name ?? "";
		if (!["add", "rm", "new"].includes(args.action) || name === "") {
			const message =
				name === "" ? "The key has no name." : `There is no \`moorage key ${args.action}\`.`;
			throw usageFailure(message, "Write `moorage key add NAME` or `moorage key new NAME`.");
		}
		const { tenant, user, expires } = options;
		if (args.action === "rm") {
			return withPeople(context, options, async (people) => {
				await people.removeKey(name);
				if (options.json) output.json({ removed: name });
				else output.line(`Removed the key "${name}".`);
				return exit_codes.ok;
			});
		}
		if (args.action === "add") {
			return withPeople(context, options, async (people) => {
				const added = await people.addKey({
					name,
					...(tenant === undefined ? {} : { tenant }),
					...(user === undefined ? {} : { user }),
					...(options.role.length === 0 ? {} : { roles: options.role }),
					...(options.scope.length === 0 ? {} : { scopes: options.scope }),
					...(expires === undefined ? {} : { expires_at_ms: momentOf(expires) }),
				});
				if (options.json) {
					output.json(added);
					return exit_codes.ok;
				}
				output.note("The key, which is shown only now:");
				output.line(added.key);
				if (added.note !== undefined) output.note(`warning: ${added.note}`);
				return exit_codes.ok;
			});
		}
		const key = newApiKey(context.random);
		const entry = { name, hash: `sha256:${hashApiKey(key)}`, tenant, user, expires };
		if (options.json) {
			output.json({ key, entry });
			return exit_codes.ok;
		}
		const members = Object.entries(entry).filter(([, value]) => value !== undefined);
		const text = members.map(([member, value]) => `${member}: ${JSON.stringify(value)}`).join(", ");
		output.note("The key, which is shown only now:");
		output.line(key);
		output.note("The entry for moorage.yaml, under `identity: { keys: [...] }`:");
		output.line(`- { ${text} }`);
		return exit_codes.ok;
	},
});

function momentOf(text: string): number {
	const shaped = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?$/.test(text);
	const at_ms = shaped ? Date.parse(text) : Number.NaN;
	if (!Number.isNaN(at_ms)) return at_ms;
	throw usageFailure(`\`${text}\` is not a day.`, "Write for example `2027-01-31`.");
}

function printKeys(keys: readonly KeyEntry[], output: Output): void {
	output.table(
		["KEY", "HOLDER", "SCOPES", "EXPIRES", "LAST USE", "FROM"],
		keys.map((key) => [
			printable(key.name),
			printable(`${key.tenant}/${key.user}`),
			key.scopes?.join(", ") ?? "all",
			key.expires_at_ms === undefined ? "never" : minuteOf(key.expires_at_ms),
			key.used_at_ms === undefined ? "-" : minuteOf(key.used_at_ms),
			key.source === "config" ? "moorage.yaml" : "store",
		]),
	);
}
