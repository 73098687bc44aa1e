import { eraseAudit } from "../audit/erase.ts";
import { printAuditKey } from "../audit/key.ts";
import { verifyAudit } from "../audit/verify.ts";
import { defineCommand } from "../command.ts";
import { dataFolder } from "../data-folder.ts";
import { usageFailure } from "../failure.ts";

/** `moorage audit` */
export const audit_command = defineCommand({
	name: "audit",
	summary: "verify the tamper-evident audit",
	description:
		"`verify` checks the audit of a state folder from its first entry to its last, whether a " +
		"gateway runs or not, and names the first entry that was altered, is missing or stands in the " +
		"wrong place. It also lists intents without an outcome: calls of which nobody knows whether " +
		"they took effect. `key` prints the public key that the log is signed with: keep it elsewhere, " +
		"and verify with it. `erase` destroys the keys to a person's payloads; the log stays whole.",
	args: { action: { description: "`verify`, `key` or `erase`", kind: "required" } },
	options: {
		user: { flags: "--user <user>", description: "whose payloads: acme/ana", kind: "value" },
		yes: { flags: "--yes", description: "really erase", kind: "switch" },
		public_key: {
			flags: "--public-key <key>",
			description: "verify with this key instead of the one in the state folder",
			kind: "value",
		},
	},
	examples: [
		{ line: "moorage audit verify", meaning: "whether the audit is whole" },
		{ line: "moorage audit erase --user acme/ana --yes", meaning: "Ana's payloads are gone" },
		{ line: "moorage audit key", meaning: "the key to verify it with, to be kept elsewhere" },
	],
	run: async ({ args, options }, context) => {
		const data = await dataFolder(context, options.data);
		switch (args.action) {
			case "verify":
				return verifyAudit(data, options, context);
			case "key":
				return printAuditKey(data, options, context);
			case "erase":
				return eraseAudit(options, context);
			default:
				throw usageFailure(
					`There is no \`moorage audit ${args.action}\`.`,
					"Write `moorage audit verify`, or `moorage audit --help`.",
				);
		}
	},
});
