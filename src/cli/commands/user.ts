import type { UserEntry } from "../../admin/contract-people.ts";
import { default_tenant } from "../../config/principal-names.ts";
import { defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { type Output, printable } from "../output.ts";
import { withPeople } from "../people.ts";
import { readPassword } from "../read-password.ts";
import { noteUntold } from "../told-issuers.ts";

/** `moorage user` */
export const user_command = defineCommand({
	name: "user",
	summary: "people who may log in",
	description:
		"Adds, lists and removes people, gives them another password, or ends their logins. The " +
		"password is asked for at the terminal, or read from standard input; only a hash of it is " +
		"kept. People log in at the gateway's own authorization server (`identity.login`). Works on " +
		"the running gateway, and on its data folder when none runs.",
	args: {
		action: { description: "`add`, `ls`, `rm`, `passwd`, `roles` or `logout`", kind: "required" },
		name: { description: "the person: ana, or acme/ana with a tenant", kind: "optional" },
	},
	options: {
		tenant: { flags: "--tenant <name>", description: "tenant of the person", kind: "value" },
		role: { flags: "--role <name>", description: "a role the person has", kind: "list" },
		display: { flags: "--display <name>", description: "how they are called", kind: "value" },
		passwordless: {
			flags: "--passwordless",
			description: "add without a password: for keys, or other ways to log in",
			kind: "switch",
		},
	},
	examples: [
		{ line: "moorage user add ana --tenant acme --role admin", meaning: "asks for a password" },
		{ line: "moorage user ls", meaning: "everybody" },
		{ line: "moorage user passwd acme/ana < password.txt", meaning: "another password" },
		{ line: "moorage user roles acme/ana --role operator", meaning: "these roles, no others" },
		{ line: "moorage user rm acme/ana", meaning: "with their keys and logins" },
	],
	run: ({ args, options }, context) => {
		const { output } = context;
		if (args.action === "ls") {
			return withPeople(context, options, async (people) => {
				const users = await people.users();
				if (options.json) output.json({ users });
				else printUsers(users, output);
				return exit_codes.ok;
			});
		}
		const { tenant, user } = personOf(args.name, options.tenant, args.action);
		const id = `${tenant}/${user}`;
		const done = (value: object, text: string) => {
			if (options.json) output.json(value);
			else output.line(text);
			return exit_codes.ok;
		};
		switch (args.action) {
			case "add":
				return withPeople(context, options, async (people) => {
					const password = options.passwordless ? undefined : await readPassword(context, id);
					const added = await people.addUser({
						tenant,
						user,
						roles: options.role,
						...(options.display === undefined ? {} : { display_name: options.display }),
						...(password === undefined ? {} : { password }),
					});
					return done(added, `Added ${id}.`);
				});
			case "passwd":
				return withPeople(context, options, async (people) => {
					const password = await readPassword(context, id);
					const changed = await people.changeUser(tenant, user, { password });
					return done(changed, `${id} has another password; their logins have ended.`);
				});
			case "roles":
				return withPeople(context, options, async (people) => {
					const changed = await people.changeUser(tenant, user, { roles: options.role });
					return done(changed, `${id}: ${changed.roles.join(", ") || "no roles"}`);
				});
			case "logout":
				return withPeople(context, options, async (people) => {
					await people.endLogins(tenant, user);
					return done({ ended: id }, `Every login of ${id} has ended.`);
				});
			case "rm":
				return withPeople(context, options, async (people) => {
					const removed = await people.removeUser(tenant, user);
					done(removed, `Removed ${id} with their keys and logins.`);
					noteUntold(removed.ended_grants, output);
					return exit_codes.ok;
				});
			default: {
				const message = `There is no \`moorage user ${args.action}\`.`;
				throw usageFailure(message, "Write `moorage user add NAME`, or see `moorage user --help`.");
			}
		}
	},
});

function personOf(name: string | undefined, tenant_option: string | undefined, action: string) {
	if (name === undefined) {
		throw usageFailure("Whom?", `Write \`moorage user ${action} NAME\`.`);
	}
	const slash = name.indexOf("/");
	if (slash < 0) return { tenant: tenant_option ?? default_tenant, user: name };
	return { tenant: name.slice(0, slash), user: name.slice(slash + 1) };
}

function printUsers(users: readonly UserEntry[], output: Output): void {
	output.table(
		["USER", "ROLES", "LOGS IN WITH", "LAST LOGIN"],
		users.map((user) => [
			printable(user.id),
			user.roles.join(", "),
			user.provider ?? (user.has_password ? "password" : "-"),
			user.login_at_ms === undefined ? "-" : minuteOf(user.login_at_ms),
		]),
	);
}

/** A moment as people read it, in UTC. */
export function minuteOf(at_ms: number): string {
	return new Date(at_ms).toISOString().slice(0, 16).replace("T", " ");
}
