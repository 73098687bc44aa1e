import { basename, resolve } from "node:path";
import { read_limits } from "../../config/defaults.ts";
import {
	type FoundSecret,
	findEnvSecrets,
	findSecrets,
	moveSecrets,
} from "../../config/move-secrets.ts";
import { readBounded } from "../../config/read-bounded.ts";
import { fileState, replaceFile } from "../../config/replace-file.ts";
import type { CommandContext } from "../context.ts";
import { exit_codes } from "../exit-codes.ts";
import { CommandFailure } from "../failure.ts";
import type { Desk } from "./desk.ts";

/** What an import did. */
export interface Imported {
	readonly file: string;
	/** Names under which secrets were stored, with where each stood. */
	readonly secrets: readonly { readonly name: string; readonly server?: string }[];
	/** Whether the file now refers to them. */
	readonly rewritten: boolean;
}

/**
 * Stores the secrets of a file in the vault. A configuration then refers to them instead; an
 * `.env` file is left as it is, because other programs read it. A value that is in the vault keeps
 * its place: those of a configuration get another name, and an `.env` file whose names are taken is
 * refused as a whole unless `replace` says that its values are to take their place.
 */
export async function importFile(
	name: string,
	{ replace }: { readonly replace: boolean },
	desk: Desk,
	context: CommandContext,
): Promise<Imported> {
	const path = resolve(context.cwd, name);
	const state = await fileState(path);
	const content = await readBounded(path, read_limits.config_bytes_max);
	if (!content.ok) throw failed("file_unreadable", `${path} ${content.problem}.`, "Name a file.");
	if (/^\.env(\.|$)|\.env$/.test(basename(path))) {
		return importEnv({ path, text: content.value, replace }, desk);
	}
	const found = findSecrets(path, content.value);
	if (found === undefined) {
		const next = "Correct it first: `moorage up` says where its mistakes are.";
		throw failed("config_refused", `${path} cannot be read as a configuration.`, next);
	}
	const taken = await namesOf(desk);
	const names = chooseNames(found, taken);
	for (const [{ value }, secret] of distinct(names)) {
		await desk.set({ name: secret, tenant: "", user: "", value }, { is_new: true });
	}
	const moved = moveSecrets(content.value, found, names);
	if (moved !== content.value && !(await replaceFile(path, moved, state))) {
		const next = "The secrets are stored; import the file again.";
		throw failed("file_changed", `Somebody else changed ${path} meanwhile.`, next);
	}
	const secrets = found.map((one) => ({ name: names.get(one) ?? "", server: one.place.server }));
	return { file: path, secrets, rewritten: moved !== content.value };
}

async function importEnv(
	{ path, text, replace }: { path: string; text: string; replace: boolean },
	desk: Desk,
): Promise<Imported> {
	const found = findEnvSecrets(text);
	const taken = replace ? new Set<string>() : await namesOf(desk);
	const known = found.filter(({ name }) => taken.has(name)).map(({ name }) => `\`${name}\``);
	if (known.length > 0) {
		const message = `In the vault already: ${known.join(", ")}. Nothing was stored.`;
		const next =
			"Exchange their values with those of the file by `--replace`, or rename them in a copy of it.";
		throw failed("secret_exists", message, next);
	}
	for (const secret of found) {
		await desk.set({ ...secret, tenant: "", user: "" }, { is_new: !replace });
	}
	return { file: path, secrets: found.map(({ name }) => ({ name })), rewritten: false };
}

/** Names that have a value for anybody: one of everybody's would be what all others get. */
async function namesOf(desk: Desk): Promise<Set<string>> {
	return new Set((await desk.list()).secrets.map(({ name }) => name));
}

/** Equal values get one name; where it is taken, or is that of another value, the server's too. */
function chooseNames(
	found: readonly FoundSecret[],
	taken: ReadonlySet<string>,
): Map<FoundSecret, string> {
	const values = new Map<string, string>();
	const names = new Map<FoundSecret, string>();
	for (const secret of found) {
		const wanted = [secret.name, `${secret.place.server}_${secret.name}`.toLowerCase()];
		for (let count = 2; ; count += 1) {
			const name = (wanted.shift() ?? `${secret.name}_${count}`).replaceAll(/[^\w.-]/g, "_");
			const other = values.get(name);
			if (other === undefined ? taken.has(name) : other !== secret.value) continue;
			values.set(name, secret.value);
			names.set(secret, name);
			break;
		}
	}
	return names;
}

function distinct(names: ReadonlyMap<FoundSecret, string>): [FoundSecret, string][] {
	const seen = new Set<string>();
	return [...names].filter(([, name]) => !seen.has(name) && seen.add(name));
}

function failed(code: string, message: string, next: string): CommandFailure {
	return new CommandFailure({ exit_code: exit_codes.failed, code, message, next });
}
