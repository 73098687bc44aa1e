import { join } from "node:path";
import type { MasterKeyPlan } from "../config/plan.ts";
import { runOnce } from "../hosting/process/run-once.ts";
import type { Clock } from "../lib/clock.ts";
import type { Environment } from "../lib/environment.ts";
import type { Random } from "../lib/random.ts";
import type { MasterKeyStore } from "../secrets/master-key.ts";
import {
	commandStore,
	environmentStore,
	fileStore,
	keyringStore,
	type RunCommand,
} from "../secrets/master-stores.ts";
import { Vault } from "../secrets/vault.ts";
import type { SecretRows } from "../secrets/vault-rows.ts";

/** A person may have to unlock a keyring meanwhile. */
const command_ms_max = 60_000;

/** What a vault is opened with. */
export interface OpenVaultOptions {
	readonly master_key: MasterKeyPlan;
	/** Absolute data folder. */
	readonly data: string;
	readonly rows: SecretRows;
	readonly clock: Clock;
	readonly random: Random;
	readonly environment: Environment;
}

/** The vault of a data folder; its master key is looked for when it is needed. */
export function openVault(options: OpenVaultOptions): Vault {
	const { rows, clock, random } = options;
	return new Vault({ rows, clock, random, master: masterKeyStore(options) });
}

function masterKeyStore(options: OpenVaultOptions): MasterKeyStore {
	const { master_key, data, random, environment } = options;
	switch (master_key.kind) {
		case "file":
			return fileStore(master_key.path ?? join(data, "keys", "master-key"), random);
		case "env":
			return environmentStore(master_key.name, environment);
		case "keyring":
			return keyringStore(master_key.account, {
				run: runCommand(options),
				random,
				platform: process.platform,
			});
		case "command":
			return commandStore(master_key.argv, runCommand(options));
	}
}

/** Programs of the user's own choice, with the user's own environment. */
function runCommand({ clock, environment }: OpenVaultOptions): RunCommand {
	const env = Object.fromEntries(
		Object.entries(environment).filter(
			(entry): entry is [string, string] => entry[1] !== undefined,
		),
	);
	return async ([program = "", ...args], input) => {
		const deadline_ms = command_ms_max;
		const { code, stdout } = await runOnce(clock, { program, args, env, deadline_ms, input });
		return { code, stdout };
	};
}
