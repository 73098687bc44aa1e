import type { MyGrant, UpstreamGrantEntry } from "../../admin/contracts/upstream-grants.ts";
import type { AdminClient } from "../client.ts";
import { defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { withGateway, withGatewayAsPerson } from "../gateway.ts";
import { type Output, printable } from "../output.ts";
import { noteUntold } from "../told-issuers.ts";

/** `moorage grant` */
export const grant_command = defineCommand({
	name: "grant",
	summary: "who uses which remote server with an account",
	description:
		"Lists what people have authorized at remote servers (`auth: oauth`), and ends it: `revoke` " +
		"forgets the tokens of a person, or of the gateway itself without --tenant, tells the " +
		"authorization server, and the next call asks anew. With a key of yours in MOORAGE_KEY, " +
		"`--mine` is about what you have connected yourself, and `connect` prints the page on which " +
		"you connect your account at a server.",
	args: {
		action: { description: "`ls`, `connect` or `revoke`", kind: "required" },
		server: { description: "name of the server", kind: "optional" },
	},
	options: {
		mine: { flags: "--mine", description: "your own, by the key in MOORAGE_KEY", kind: "switch" },
		tenant: { flags: "--tenant <name>", description: "whose tenant", kind: "value" },
		user: { flags: "--user <name>", description: "the person of the tenant", kind: "value" },
	},
	examples: [
		{ line: "moorage grant ls", meaning: "by person, with server and age" },
		{ line: "moorage grant revoke notes --tenant acme --user ana", meaning: "she is asked anew" },
		{ line: "MOORAGE_KEY=$(cat ana.key) moorage grant ls --mine", meaning: "hers, for herself" },
		{ line: "MOORAGE_KEY=$(cat ana.key) moorage grant connect notes", meaning: "where she does" },
	],
	run({ args, options }, context) {
		const { output } = context;
		const { action, server } = args;
		const { json, mine, tenant = "", user = "" } = options;
		if (mine && tenant + user !== "") {
			throw usageFailure("Whose?", "Write `--mine`, or `--tenant` and `--user`.");
		}
		const as = mine || action === "connect" ? withGatewayAsPerson : withGateway;
		if (action === "ls") {
			return as(context, options, (client) =>
				mine ? listMine(client, json, output) : listAll(client, json, output),
			);
		}
		if (action !== "connect" && action !== "revoke") {
			const message = `There is no \`moorage grant ${action}\`.`;
			throw usageFailure(message, "Write `moorage grant ls`, `connect` or `revoke`.");
		}
		if (server === undefined) {
			throw usageFailure("Of which server?", `Write \`moorage grant ${action} SERVER\`.`);
		}
		if (user !== "" && tenant === "") {
			throw usageFailure("Of which tenant?", "Add `--tenant NAME`.");
		}
		return as(context, options, async (client) => {
			if (action === "connect") {
				const { text, value } = await client.request("connectMyGrant", { path: { server } });
				if (json) output.raw(text);
				else output.line(value.url);
				return exit_codes.ok;
			}
			const { text, value } = mine
				? await client.request("revokeMyGrant", { path: { server } })
				: await client.request("revokeUpstreamGrant", {
						path: { server },
						query: { tenant, user },
					});
			if (json) output.raw(text);
			else output.line(`Ended: ${whoOf(value)} at ${printable(server)}.`);
			noteUntold(value.issuers, output);
			return exit_codes.ok;
		});
	},
});

async function listAll(client: AdminClient, json: boolean, output: Output): Promise<number> {
	const { text, value } = await client.request("listUpstreamGrants");
	if (json) output.raw(text);
	else if (value.grants.length === 0) output.note("Nobody has authorized anything yet.");
	else {
		const columns = ["WHO", "SERVER", "ISSUER", "SCOPES", "GIVEN", "RENEWED"];
		output.table(columns, value.grants.map(rowOf));
	}
	return exit_codes.ok;
}

async function listMine(client: AdminClient, json: boolean, output: Output): Promise<number> {
	const { text, value } = await client.request("listMyGrants");
	if (json) output.raw(text);
	else if (value.grants.length === 0) output.note("No server here asks for an account of yours.");
	else {
		output.table(["SERVER", "USED BY", "CONNECTED", "ISSUER", "SCOPES"], value.grants.map(myRowOf));
	}
	return exit_codes.ok;
}

function rowOf(grant: UpstreamGrantEntry): string[] {
	return [
		whoOf(grant),
		printable(grant.server),
		printable(grant.issuer),
		printable(grant.scopes.join(" ")),
		dayOf(grant.created_at_ms),
		grant.renewable ? dayOf(grant.changed_at_ms) : "cannot be",
	];
}

function myRowOf({ server, used_by, created_at_ms, issuer, scopes }: MyGrant): string[] {
	const whose = { you: "you", tenant: "everybody of your tenant", gateway: "everybody" };
	return [
		printable(server),
		whose[used_by],
		created_at_ms === undefined ? "no" : dayOf(created_at_ms),
		printable(issuer ?? "-"),
		printable(scopes?.join(" ") ?? "-"),
	];
}

function dayOf(at_ms: number): string {
	return new Date(at_ms).toISOString().slice(0, 16).replace("T", " ");
}

function whoOf({ tenant, user }: Pick<UpstreamGrantEntry, "tenant" | "user">): string {
	if (tenant === "") return "the gateway";
	return printable(user === "" ? `all of ${tenant}` : `${tenant}/${user}`);
}
