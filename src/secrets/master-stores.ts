import { chmod, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Environment } from "../lib/environment.ts";
import type { Random } from "../lib/random.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { box_key_bytes } from "./box.ts";
import { ensureKeyFile, readKeyFile } from "./key-file.ts";
import {
	drawMasterKey,
	type MasterKey,
	type MasterKeyStore,
	masterKeyOf,
	parseMasterKey,
	writeMasterKey,
} from "./master-key.ts";
import type { ValueProblem } from "./values.ts";
import { createWhole, syncFolder } from "./whole-file.ts";

/** Runs a program to its end, without a shell; `input` is its standard input. */
export type RunCommand = (
	argv: readonly string[],
	input?: string,
) => Promise<{ readonly code: number | null; readonly stdout: string }>;

/** A key in a file that only its owner can read; made when there is none. The default. */
export function fileStore(path: string, random: Random): MasterKeyStore {
	const next = `${path}.next`;
	const read = async (at: string) => {
		const found = await readKeyFile(at, box_key_bytes);
		return found?.ok === true ? succeed(masterKeyOf(found.value)) : found;
	};
	return {
		place: `the file ${path}`,
		async load(wanted) {
			const present = await read(path);
			const prepared = await read(next);
			if (prepared?.ok === true && prepared.value.id === wanted) {
				await rename(next, path);
				return prepared;
			}
			if (present?.ok === false) return present;
			if (present?.ok === true) {
				// A rotation that was given up before anything was sealed with its key.
				if (prepared?.ok === true && present.value.id === wanted) await rm(next, { force: true });
				return present;
			}
			if (wanted !== undefined) {
				return fail({
					message: `The master key ${path} is missing.`,
					next: "Restore it from a backup: without it the values of the vault cannot be read.",
				});
			}
			const made = await ensureKeyFile(path, box_key_bytes, random);
			return made.ok ? succeed(masterKeyOf(made.value)) : made;
		},
		prepare: (key) =>
			attempt(`The new master key could not be written beside ${path}.`, async () => {
				await rm(next, { force: true });
				await createWhole(next, `${next}.${random.uuid()}.new`, `${writeMasterKey(key)}\n`);
			}),
		finish: () =>
			attempt(`The new master key could not take the place of ${path}.`, async () => {
				await chmod(next, 0o600);
				await rename(next, path);
				await syncFolder(dirname(path));
			}),
	};
}

/** A key in an environment variable, which whoever starts Moorage sets. */
export function environmentStore(name: string, environment: Environment): MasterKeyStore {
	const place = `the environment variable \`${name}\``;
	return {
		place,
		load() {
			const text = environment[name];
			if (text !== undefined && text !== "") return Promise.resolve(parseMasterKey(text, place));
			const message = `The master key is missing: ${place} is not set.`;
			return Promise.resolve(fail({ message, next: "Set it before starting Moorage." }));
		},
	};
}

/** A key that a program prints, such as that of a password manager. */
export function commandStore(argv: readonly string[], run: RunCommand): MasterKeyStore {
	const place = `the command \`${argv[0] ?? ""}\``;
	return {
		place,
		async load() {
			const { code, stdout } = await run(argv);
			if (code === 0) return parseMasterKey(stdout, place);
			const how = code === null ? "could not be run" : `ended with exit code ${code}`;
			return fail({
				message: `The master key is missing: ${place} ${how}.`,
				next: "Run it yourself to see why; it has to print the key and end with 0.",
			});
		},
	};
}

/** How the keyring of an operating system is used: values go through standard streams only. */
interface Keyring {
	readonly read: (account: string) => readonly string[];
	readonly write: (account: string) => readonly string[];
	readonly input: (account: string, value: string) => string;
	readonly remove: (account: string) => readonly string[];
}

const keyrings: Readonly<Partial<Record<NodeJS.Platform, Keyring>>> = {
	linux: {
		read: (account) => ["secret-tool", "lookup", "service", "moorage", "account", account],
		write: (account) => [
			"secret-tool",
			"store",
			"--label=Moorage master key",
			...["service", "moorage", "account", account],
		],
		input: (_account, value) => value,
		remove: (account) => ["secret-tool", "clear", "service", "moorage", "account", account],
	},
	darwin: {
		read: (account) => ["security", "find-generic-password", "-s", "moorage", "-a", account, "-w"],
		write: () => ["security", "-i"],
		input: (account, value) => `add-generic-password -U -s moorage -a ${account} -w ${value}\n`,
		remove: (account) => ["security", "delete-generic-password", "-s", "moorage", "-a", account],
	},
};

/** A key in the keyring of the operating system; made when there is none. */
export function keyringStore(
	account: string,
	options: {
		readonly run: RunCommand;
		readonly random: Random;
		readonly platform: NodeJS.Platform;
	},
): MasterKeyStore {
	const { run, random, platform } = options;
	const keyring = keyrings[platform];
	const place = `the keyring entry \`${account}\``;
	const missing = (what: string): Result<never, ValueProblem> =>
		fail({
			message: `${what} the keyring of this system.`,
			next: "Install `secret-tool` and unlock the keyring, or keep the key in a file.",
		});
	if (keyring === undefined) {
		return { place, load: () => Promise.resolve(missing("Moorage cannot use")) };
	}
	const read = async (name: string) => {
		const { code, stdout } = await run(keyring.read(name));
		if (code === null) return missing("There is no program for");
		return code === 0 && stdout.trim() !== "" ? parseMasterKey(stdout, place) : undefined;
	};
	const write = async (name: string, key: MasterKey): Promise<Result<void, ValueProblem>> => {
		const { code } = await run(keyring.write(name), keyring.input(name, writeMasterKey(key)));
		return code === 0 ? succeed(undefined) : missing("The key could not be stored in");
	};
	const next = `${account}-next`;
	return {
		place,
		async load(wanted) {
			const present = await read(account);
			if (present !== undefined && (!present.ok || present.value.id === wanted)) return present;
			const prepared = wanted === undefined ? undefined : await read(next);
			if (prepared?.ok === true && prepared.value.id === wanted) {
				const moved = await write(account, prepared.value);
				return moved.ok ? prepared : moved;
			}
			if (present !== undefined) return present;
			if (wanted !== undefined) {
				const message = `The master key is missing: there is no ${place.slice(4)}.`;
				return fail({ message, next: "Unlock the keyring, or restore the entry." });
			}
			const made = drawMasterKey(random);
			const stored = await write(account, made);
			return stored.ok ? succeed(made) : stored;
		},
		prepare: (key) => write(next, key),
		async finish(key) {
			const stored = await write(account, key);
			if (stored.ok) await run(keyring.remove(next));
			return stored;
		},
	};
}

async function attempt(
	message: string,
	work: () => Promise<void>,
): Promise<Result<void, ValueProblem>> {
	try {
		await work();
		return succeed(undefined);
	} catch (error) {
		return fail({ message, next: "Look at the disk of the data folder.", detail: String(error) });
	}
}
