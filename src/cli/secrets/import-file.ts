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
 * `.env` file is left as it is, because other programs read it.
 */
export async function importFile(
	name: string,
	desk: Desk,
	context: CommandContext,
): Promise<Imported> {
	const path = resolve(context.cwd, name);
	const state = await fileState(path);
	const content = await readBounded(path, read_limits.config_bytes_max);
	if (!content.ok) throw failed("file_unreadable", `${path} ${content.problem}.`, "Name a file.");
	if (/^\.env(\.|$)|\.env$/.test(basename(path))) return importEnv(path, content.value, desk);
	const found = findSecrets(path, content.value);
	if (found === undefined) {
		const next = "Correct it first: `moorage up` says where its mistakes are.";
		throw failed("config_refused", `${path} cannot be read as a configuration.`, next);
	}
	const taken = new Set((await desk.list()).secrets.map((secret) => secret.name));
	const names = chooseNames(found, taken);
	for (const [{ value }, secret] of distinct(names)) {
		await desk.set({ name: secret, tenant: "", user: "", value });
	}
	const moved = moveSecrets(content.value, found, names);
	if (moved !== content.value && !(await replaceFile(path, moved, state))) {
		const next = "The secrets are stored; import the file again.";
		throw failed("file_changed", `Somebody else changed ${path} meanwhile.`, next);
	}
	const secrets = found.map((one) => ({ name: names.get(one) ?? "", server: one.place.server }));
	return { file: path, secrets, rewritten: moved !== content.value };
}

async function importEnv(path: string, text: string, desk: Desk): Promise<Imported> {
	const found = findEnvSecrets(text);
	for (const secret of found) await desk.set({ ...secret, tenant: "", user: "" });
	return { file: path, secrets: found.map(({ name }) => ({ name })), rewritten: false };
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
