import type { ChangedSecret, SecretFinding, SecretList } from "../../admin/contracts/secrets.ts";
import { counted } from "../../lib/counted.ts";
import { defineCommand } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { exit_codes } from "../exit-codes.ts";
import { CommandFailure, usageFailure } from "../failure.ts";
import { duration } from "../output.ts";
import { type Desk, withDesk } from "../secrets/desk.ts";
import { importFile } from "../secrets/import-file.ts";
import { readValue } from "../secrets/read-value.ts";

const actions = ["set", "ls", "rm", "rotate", "import", "check"] as const;
type Action = (typeof actions)[number];

interface SecretOptions {
	readonly tenant: string | undefined;
	readonly user: string | undefined;
	readonly master: boolean;
	readonly replace: boolean;
	readonly json: boolean;
}

/** `moorage secret` */
export const secret_command = defineCommand({
	name: "secret",
	summary: "keep secrets in the vault",
	description:
		"Keeps the secrets of servers in an encrypted vault, for a gateway that runs or for the next " +
		"one. `set` stores a value and `rotate` exchanges it, which servers that use it get by a " +
		"rolling restart; `ls` shows names, ages and use, `rm` removes, `import` moves the secrets of " +
		"a configuration or of an .env file into the vault, and `check` says what is the matter. A " +
		"configuration refers to a secret as `${secret:NAME}`. Values are asked for or read from " +
		"standard input, never taken from the command line, and never shown. `rotate --master` seals " +
		"everything with another master key.",
	args: {
		action: { description: actions.map((one) => `\`${one}\``).join(", "), kind: "required" },
		name: { description: "name of the secret, or the file to import", kind: "optional" },
	},
	options: {
		tenant: { flags: "--tenant <name>", description: "a value for this tenant", kind: "value" },
		user: {
			flags: "--user <name>",
			description: "a value for this person of the tenant",
			kind: "value",
		},
		master: {
			flags: "--master",
			description: "rotate the master key instead of a value",
			kind: "switch",
		},
		replace: {
			flags: "--replace",
			description: "let an imported .env file exchange values of the vault",
			kind: "switch",
		},
		config: {
			flags: "--config <file>",
			description: "the configuration that says where the master key is, when no gateway runs",
			kind: "value",
		},
	},
	examples: [
		{ line: "moorage secret set github_token", meaning: "asks for the value" },
		{ line: "moorage secret set key --tenant acme --user bob < key.pem", meaning: "one of Bob's" },
		{ line: "moorage secret import mcp.json", meaning: "its secrets, which it then refers to" },
		{ line: "moorage secret rotate --master", meaning: "another master key, while all runs" },
		{ line: "moorage secret check", meaning: "what is missing, old, unused or too broad" },
	],
	usage_hint:
		"A value is asked for, or read from standard input: `moorage secret set NAME < FILE`.",
	run({ args, options }, context) {
		const action = actions.find((one) => one === args.action);
		if (action === undefined) {
			const message = `There is no \`moorage secret ${args.action}\`.`;
			throw usageFailure(message, `Write one of: ${actions.join(", ")}.`);
		}
		return withDesk(options, context, (desk) => act(action, args.name, options, desk, context));
	},
});

async function act(
	action: Action,
	name: string | undefined,
	options: SecretOptions,
	desk: Desk,
	context: CommandContext,
): Promise<number> {
	switch (action) {
		case "ls":
			return show(await desk.list(), options, context);
		case "check":
			return tell(await desk.check(), options, context);
		case "rotate":
			if (options.master) return rotateMaster(options, desk, context);
			return store(named(name), "rotate", options, desk, context);
		case "set":
			return store(named(name), "set", options, desk, context);
		case "rm": {
			const removed = await desk.remove({ name: named(name), ...scopeOf(options) });
			if (options.json) context.output.json(removed);
			else context.output.line(`Removed ${describe(removed)}.`);
			return exit_codes.ok;
		}
		case "import":
			return importSecrets(named(name), options, desk, context);
	}
}

async function store(
	name: string,
	action: "set" | "rotate",
	options: SecretOptions,
	desk: Desk,
	context: CommandContext,
): Promise<number> {
	const scope = scopeOf(options);
	if (action === "rotate") {
		const { secrets } = await desk.list();
		const same = (one: ChangedSecret) =>
			one.name === name && one.tenant === scope.tenant && one.user === scope.user;
		if (!secrets.some(same)) throw unknown(name);
	}
	const value = await readValue(`Value of ${name}`, context);
	const stored = await desk.set({ name, ...scope, value });
	if (options.json) context.output.json(stored);
	else {
		context.output.line(`Stored ${describe(stored)}.`);
		context.output.note(`Refer to it as \${secret:${name}}.`);
	}
	return exit_codes.ok;
}

async function rotateMaster(
	options: SecretOptions,
	desk: Desk,
	context: CommandContext,
): Promise<number> {
	// Where Moorage keeps the key itself it makes the new one; else it is piped in.
	const piped = context.stdin.isTTY !== true ? await readValue("", context).catch(() => "") : "";
	const rotated = await desk.rotateMaster(piped === "" ? undefined : piped);
	if (options.json) context.output.json(rotated);
	else context.output.line(`The vault is sealed with the master key ${rotated.master_key_id}.`);
	if (piped !== "") {
		context.output.note("Put the new key where the old one is before the next start.");
	}
	return exit_codes.ok;
}

async function importSecrets(
	file: string,
	options: SecretOptions,
	desk: Desk,
	context: CommandContext,
): Promise<number> {
	const imported = await importFile(file, options, desk, context);
	const { output } = context;
	if (options.json) {
		output.json(imported);
		return exit_codes.ok;
	}
	for (const { name, server } of imported.secrets) {
		output.line(server === undefined ? name : `${server}: ${name}`);
	}
	const count = counted(imported.secrets.length, "secret");
	output.note(`${count} of ${imported.file} in the vault.`);
	if (imported.rewritten) output.note("The file refers to them now.");
	else if (imported.secrets.length > 0) {
		output.note("The file is as it was: refer to the secrets, then remove them from it.");
	}
	return exit_codes.ok;
}

function show(list: SecretList, options: SecretOptions, context: CommandContext): number {
	const { output, clock } = context;
	if (options.json) {
		output.json(list);
		return exit_codes.ok;
	}
	const now_ms = clock.now();
	const ago = (at_ms: number | undefined) =>
		at_ms === undefined ? "never" : `${duration(Math.max(0, now_ms - at_ms))} ago`;
	output.table(
		["NAME", "FOR", "CHANGED", "USED", "BY"],
		list.secrets.map((one) => [
			one.name,
			audience(one),
			ago(one.changed_at_ms),
			ago(one.used_at_ms),
			one.used_by ?? "",
		]),
	);
	if (list.locked !== undefined) output.note(list.locked);
	return list.locked === undefined ? exit_codes.ok : exit_codes.failed;
}

/** What keeps a server from running, or stands where everybody can read it. */
const bad_kinds: ReadonlySet<SecretFinding["kind"]> = new Set([
	"locked",
	"damaged",
	"missing",
	"plain",
]);

function tell(
	findings: readonly SecretFinding[],
	options: SecretOptions,
	{ output }: CommandContext,
): number {
	if (options.json) output.json({ findings });
	else if (findings.length === 0) output.line("Nothing is the matter with the secrets.");
	else {
		for (const { kind, message, next } of findings) {
			output.line(`${output.look("bold", kind)}: ${message} ${next}`);
		}
	}
	return findings.some(({ kind }) => bad_kinds.has(kind)) ? exit_codes.failed : exit_codes.ok;
}

function scopeOf({ tenant = "", user = "" }: Pick<SecretOptions, "tenant" | "user">) {
	if (user !== "" && tenant === "") {
		throw usageFailure("--user needs --tenant.", "Give the tenant the person belongs to.");
	}
	return { tenant, user };
}

function audience({ tenant, user }: Pick<ChangedSecret, "tenant" | "user">): string {
	if (user !== "") return `${tenant}/${user}`;
	return tenant === "" ? "everybody" : `tenant ${tenant}`;
}

function describe(secret: ChangedSecret): string {
	const own = secret.tenant === "" ? "" : ` for ${audience(secret)}`;
	return `"${secret.name}"${own}`;
}

function named(name: string | undefined): string {
	if (name !== undefined) return name;
	throw usageFailure("Something is missing.", "Name the secret, or the file to import.");
}

function unknown(name: string): CommandFailure {
	return new CommandFailure({
		exit_code: exit_codes.failed,
		code: "secret_unknown",
		message: `There is no secret "${name}" to rotate.`,
		next: `Store it with \`moorage secret set ${name}\`.`,
	});
}
