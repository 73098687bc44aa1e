import type { UpstreamGrantEntry } from "../../admin/contracts/upstream-grants.ts";
import { defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { withGateway } from "../gateway.ts";
import { printable } from "../output.ts";

/** `moorage grant` */
export const grant_command = defineCommand({
	name: "grant",
	summary: "who uses which remote server with an account",
	description:
		"Lists what people have authorized at remote servers (`auth: oauth`), and ends it: `revoke` " +
		"forgets the tokens of a person, or of the gateway itself without --tenant, and the next " +
		"call asks anew. The authorization server is not told: end it there as well.",
	args: {
		action: { description: "`ls` or `revoke`", kind: "required" },
		server: { description: "name of the server", kind: "optional" },
	},
	options: {
		tenant: { flags: "--tenant <name>", description: "whose tenant", kind: "value" },
		user: { flags: "--user <name>", description: "the person of the tenant", kind: "value" },
	},
	examples: [
		{ line: "moorage grant ls", meaning: "by person, with server and age" },
		{ line: "moorage grant revoke notes --tenant acme --user ana", meaning: "she is asked anew" },
	],
	run: ({ args, options }, context) =>
		withGateway(context, options, async (client) => {
			const { output } = context;
			switch (args.action) {
				case "ls": {
					const { text, value } = await client.request("listUpstreamGrants");
					if (options.json) output.raw(text);
					else if (value.grants.length === 0) output.note("Nobody has authorized anything yet.");
					else {
						output.table(
							["WHO", "SERVER", "ISSUER", "SCOPES", "GIVEN", "RENEWED"],
							value.grants.map(rowOf),
						);
					}
					return exit_codes.ok;
				}
				case "revoke": {
					const { server } = args;
					if (server === undefined) {
						throw usageFailure("Of which server?", "Write `moorage grant revoke SERVER`.");
					}
					const { tenant = "", user = "" } = options;
					if (user !== "" && tenant === "") {
						throw usageFailure("Of which tenant?", "Add `--tenant NAME`.");
					}
					const query = { tenant, user };
					const { text, value } = await client.request("revokeUpstreamGrant", {
						path: { server },
						query,
					});
					if (options.json) output.raw(text);
					else output.line(`Ended: ${whoOf(value)} at ${printable(server)}.`);
					return exit_codes.ok;
				}
				default: {
					const message = `There is no \`moorage grant ${args.action}\`.`;
					throw usageFailure(message, "Write `moorage grant ls` or `revoke`.");
				}
			}
		}),
});

function rowOf(grant: UpstreamGrantEntry): string[] {
	const day = (at_ms: number) => new Date(at_ms).toISOString().slice(0, 16).replace("T", " ");
	return [
		whoOf(grant),
		printable(grant.server),
		printable(grant.issuer),
		printable(grant.scopes.join(" ")),
		day(grant.created_at_ms),
		grant.renewable ? day(grant.changed_at_ms) : "cannot be",
	];
}

function whoOf({ tenant, user }: Pick<UpstreamGrantEntry, "tenant" | "user">): string {
	if (tenant === "") return "the gateway";
	return printable(user === "" ? `all of ${tenant}` : `${tenant}/${user}`);
}
