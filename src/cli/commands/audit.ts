import { eraseAudit } from "../audit/erase.ts";
import { exportAudit } from "../audit/export.ts";
import { printAuditKey } from "../audit/key.ts";
import { verifyAudit } from "../audit/verify.ts";
import { defineCommand } from "../command.ts";
import { dataFolder } from "../data-folder.ts";
import { usageFailure } from "../failure.ts";

const without_target: ReadonlySet<string> = new Set(["verify", "key", "erase"]);

/** `moorage audit` */
export const audit_command = defineCommand({
	name: "audit",
	summary: "verify, export or erase the tamper-evident audit",
	description:
		"`verify` checks the audit of a state folder from its first entry to its last, whether a " +
		"gateway runs or not, and names the first entry that was altered, is missing or stands in the " +
		"wrong place. It also lists intents without an outcome: calls of which nobody knows whether " +
		"they took effect. `key` prints the public key that the log is signed with: keep it elsewhere, " +
		"and verify with it. `erase` destroys the keys to a person's payloads; the log stays whole. " +
		"`export` writes the entries as NDJSON or CSV, or copies the log as it is, payloads sealed, to " +
		"a bucket of an S3-compatible store, locked so that nobody can change it there.",
	args: {
		action: { description: "`verify`, `key`, `erase` or `export`", kind: "required" },
		target: { description: "of `export`: a file, or s3://BUCKET/PREFIX", kind: "optional" },
	},
	options: {
		user: { flags: "--user <user>", description: "whose payloads: acme/ana", kind: "value" },
		format: { flags: "--format <format>", description: "ndjson or csv", kind: "value" },
		since: {
			flags: "--since <time>",
			description: "export entries from then on: 7d, or a day",
			kind: "value",
		},
		until: { flags: "--until <time>", description: "export entries before then", kind: "value" },
		endpoint: {
			flags: "--endpoint <url>",
			description: "address of the store (default: that of AWS in AWS_REGION)",
			kind: "value",
		},
		lock_days: {
			flags: "--lock-days <days>",
			description: "how long objects are locked (default: 30)",
			kind: "value",
		},
		lock_mode: {
			flags: "--lock-mode <mode>",
			description: "compliance (default), governance or off",
			kind: "value",
		},
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
		{ line: "moorage audit export audit.csv", meaning: "entries as a table, without payloads" },
		{ line: "moorage audit export s3://evidence/eu1 --lock-days 90", meaning: "a locked copy" },
		{ line: "moorage audit key", meaning: "the key to verify it with, to be kept elsewhere" },
	],
	run: async ({ args, options }, context) => {
		if (without_target.has(args.action) && args.target !== undefined) {
			throw usageFailure(
				`\`moorage audit ${args.action}\` takes no \`${args.target}\`.`,
				"Name the state folder of another gateway, or a copy of one, with --data.",
			);
		}
		const data = await dataFolder(context, options.data);
		switch (args.action) {
			case "verify":
				return verifyAudit(data, options, context);
			case "key":
				return printAuditKey(data, options, context);
			case "erase":
				return eraseAudit(options, context);
			case "export":
				return exportAudit(data, args.target, options, context);
			default:
				throw usageFailure(
					`There is no \`moorage audit ${args.action}\`.`,
					"Write `moorage audit verify`, or `moorage audit --help`.",
				);
		}
	},
});
