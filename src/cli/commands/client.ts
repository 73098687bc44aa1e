import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { AddClient, ClientEntry } from "../../admin/contract-people.ts";
import { defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { type Output, printable } from "../output.ts";
import { withPeople } from "../people.ts";

/** `moorage client` */
export const client_command = defineCommand({
	name: "client",
	summary: "OAuth clients of the authorization server",
	description:
		"Registers, lists and removes OAuth clients of the gateway's own authorization server " +
		"(`identity.login`). Clients that have a metadata document, or register themselves where " +
		"that is allowed, need no entry here. A secret is printed this once. Works on the running " +
		"gateway, and on its data folder when none runs.",
	args: {
		action: { description: "`add`, `ls` or `rm`", kind: "required" },
		client: { description: "id of the client (default: drawn)", kind: "optional" },
	},
	options: {
		display: { flags: "--display <name>", description: "how people know it", kind: "value" },
		redirect: {
			flags: "--redirect <url>",
			description: "where people are sent back to",
			kind: "list",
		},
		secret: { flags: "--secret", description: "give it a secret", kind: "switch" },
		jwks: {
			flags: "--jwks <file>",
			description: "its public keys, when it signs assertions",
			kind: "value",
		},
		tenant: { flags: "--tenant <name>", description: "tenant it acts in", kind: "value" },
		user: { flags: "--user <name>", description: "whose name it acts in, alone", kind: "value" },
		role: { flags: "--role <name>", description: "a role it has, acting alone", kind: "list" },
		enterprise: {
			flags: "--enterprise",
			description: "it may come with assertions of a trusted identity provider",
			kind: "switch",
		},
	},
	examples: [
		{
			line: "moorage client add editor --redirect http://127.0.0.1/callback",
			meaning: "a program of people, without a secret",
		},
		{ line: "moorage client add ci --secret --user ci", meaning: "a program that acts alone" },
		{ line: "moorage client ls", meaning: "registered ones, and others that people allowed" },
		{ line: "moorage client rm editor", meaning: "with everything it was allowed" },
	],
	run: async ({ args, options }, context) => {
		const { output } = context;
		switch (args.action) {
			case "ls":
				return withPeople(context, options, async (people) => {
					const clients = await people.clients();
					if (options.json) output.json({ clients });
					else printClients(clients, output);
					return exit_codes.ok;
				});
			case "add": {
				const { tenant, user, display, redirect, secret, enterprise, jwks } = options;
				const request: AddClient = {
					...(args.client === undefined ? {} : { client_id: args.client }),
					...(display === undefined ? {} : { name: display }),
					...(redirect.length === 0 ? {} : { redirect_uris: redirect }),
					...(jwks === undefined ? {} : { jwks: await readKeys(resolve(context.cwd, jwks)) }),
					...(tenant === undefined ? {} : { tenant }),
					...(user === undefined ? {} : { user }),
					...(options.role.length === 0 ? {} : { roles: options.role }),
					...{ secret, enterprise },
				};
				return withPeople(context, options, async (people) => {
					const added = await people.addClient(request);
					if (options.json) {
						output.json(added);
						return exit_codes.ok;
					}
					output.line(`client_id: ${added.client.client_id}`);
					if (added.client_secret !== undefined) {
						output.note("The secret, which is shown only now:");
						output.line(`client_secret: ${added.client_secret}`);
					}
					return exit_codes.ok;
				});
			}
			case "rm": {
				const id = args.client;
				if (id === undefined) throw usageFailure("Which one?", "Write `moorage client rm ID`.");
				return withPeople(context, options, async (people) => {
					await people.removeClient(id);
					if (options.json) output.json({ removed: id });
					else output.line(`Removed the client ${printable(id)}.`);
					return exit_codes.ok;
				});
			}
			default: {
				const message = `There is no \`moorage client ${args.action}\`.`;
				throw usageFailure(message, "Write `moorage client add`, `ls` or `rm`.");
			}
		}
	},
});

async function readKeys(path: string): Promise<NonNullable<AddClient["jwks"]>> {
	try {
		return JSON.parse(await readFile(path, "utf8")) as NonNullable<AddClient["jwks"]>;
	} catch (error) {
		const message = `The keys in ${path} cannot be read: ${(error as Error).message}.`;
		throw usageFailure(message, 'Give it a file of the form `{ "keys": [ … ] }`.');
	}
}

function printClients(clients: readonly ClientEntry[], output: Output): void {
	const sources = { admin: "by hand", dynamic: "itself", document: "its document" };
	output.table(
		["CLIENT", "NAME", "REGISTERED", "ACTS AS", "ALLOWED BY"],
		clients.map((client) => [
			printable(client.client_id),
			printable(client.name ?? ""),
			sources[client.source],
			client.principal ?? "-",
			`${client.grants} people`,
		]),
	);
}
