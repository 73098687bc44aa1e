import type { Catalogs } from "../catalog/catalogs.ts";
import { saidTools } from "../catalog/said-tools.ts";
import { default_secrets } from "../config/compile-secrets.ts";
import type { Plan, VaultLoginPlan } from "../config/plan.ts";
import type { Hosting } from "../hosting/hosting.ts";
import { type SpecValues, specReferences } from "../hosting/spec-values.ts";
import type { Timer } from "../lib/clock.ts";
import type { Result } from "../lib/result.ts";
import { succeed } from "../lib/result.ts";
import { KvVault } from "../secrets/kv-vault.ts";
import type { SecretRedactor } from "../secrets/redactor.ts";
import { templateParts } from "../secrets/template.ts";
import {
	environmentSource,
	fileSource,
	type ValueProblem,
	type ValueSources,
	valueOf,
} from "../secrets/values.ts";
import type { Vault } from "../secrets/vault.ts";
import type { VaultCredentials } from "../secrets/vault-login.ts";
import type { SecretRows } from "../secrets/vault-rows.ts";
import type { Sessions } from "../sessions/sessions.ts";
import { openVault } from "./open-vault.ts";
import type { DaemonOptions } from "./options.ts";
import { SecretDesk } from "./secret-desk.ts";
import { specValues } from "./values.ts";

/** What the room of secrets is built from. */
export interface SecretRoomParts {
	readonly options: Pick<DaemonOptions, "clock" | "random" | "environment" | "log">;
	readonly rows: SecretRows;
	readonly redactor: SecretRedactor;
	/** The configuration as it was read last. */
	config(): Plan;
	/** Not before the house is built. */
	rooms(): {
		readonly hosting: Pick<Hosting, "refreshValues">;
		readonly catalogs: Pick<Catalogs, "get">;
		readonly sessions: Pick<Sessions, "principalOf">;
	};
}

/** Values that stand elsewhere are compared with those that run no more often than this. */
const look_ms_min = 30_000;

/** The vault of a gateway, what else values come from, and how changed ones get to what runs. */
export class SecretRoom {
	readonly vault: Vault;
	readonly values: SpecValues;
	readonly desk: SecretDesk;
	readonly #parts: SecretRoomParts;
	readonly #kv: KvVault | undefined;
	readonly #keep_ms: number;
	#timer: Timer | undefined;
	#refreshing: Promise<void> | undefined;
	#again = false;
	#closed = false;

	constructor(parts: SecretRoomParts) {
		this.#parts = parts;
		const { redactor, rows, config, rooms } = parts;
		const { clock, random, environment } = parts.options;
		const plan = config();
		const { master_key, vault, age_days_max } = plan.secrets ?? default_secrets;
		this.vault = openVault({ master_key, data: plan.data, rows, clock, random, environment });
		this.#keep_ms = vault?.keep_ms ?? default_keep_ms;
		if (vault !== undefined) {
			const { address, namespace, keep_ms, token: template, login } = vault;
			const sources = { env: environmentSource(environment), file: fileSource() };
			const token = template === undefined ? undefined : () => filled(template, sources);
			const credentials = login && (() => credentialsOf(login, sources, redactor));
			this.#kv = new KvVault({ address, namespace, keep_ms, token, credentials, clock, redactor });
		}
		const own: ValueSources = {
			secret: { get: (name, use) => this.vault.get(name, use) },
			...(this.#kv !== undefined && { vault: this.#kv }),
		};
		const principalOfSession = (id: string) => rooms().sessions.principalOf(id);
		const around = { environment, random, redactor, config, principalOfSession };
		this.values = specValues(around, own);
		this.desk = new SecretDesk({
			vault: this.vault,
			redactor,
			clock,
			age_days_max,
			plan: config,
			tools: (server) => saidTools(rooms().catalogs.get(server)?.tools ?? []),
			refresh: () => this.refresh(),
		});
	}

	/**
	 * Opens the vault and has everything in it redacted from now on. One that cannot be opened is
	 * told of and looked for again: servers that need nothing of it run meanwhile.
	 */
	async start(): Promise<void> {
		const opened = await this.vault.open();
		const { redactor, options } = this.#parts;
		if (opened.ok) for (const value of await this.vault.values()) redactor.add(value);
		else {
			const { message, next, detail } = opened.problem;
			options.log.error({ detail }, `The vault cannot be opened: ${message} ${next}`);
		}
		this.#tellRisks().catch(() => undefined);
		this.#lookLater();
	}

	/** What takes secrets out of the answers of servers; undefined where they are left alone. */
	resultRedactor(): SecretRedactor | undefined {
		const { config, redactor } = this.#parts;
		return config().secrets?.redact_results === true ? redactor : undefined;
	}

	/** Brings changed values to what runs, once at a time. */
	refresh(): void {
		this.#again = true;
		this.#refreshing ??= this.#refresh().finally(() => {
			this.#refreshing = undefined;
		});
	}

	async close(): Promise<void> {
		this.#closed = true;
		this.#timer?.cancel();
		await this.#refreshing;
		await this.#kv?.close();
	}

	async #refresh(): Promise<void> {
		while (this.#again && !this.#closed) {
			this.#again = false;
			await this.#parts.rooms().hosting.refreshValues();
		}
	}

	/** What stands in files and in another vault changes without anybody telling us. */
	#lookLater(): void {
		const { config, options } = this.#parts;
		this.#timer = options.clock.afterIdle(Math.max(this.#keep_ms, look_ms_min), () => {
			if (config().servers.some(({ spec }) => specReferences(spec).some(isElsewhere))) {
				this.refresh();
			}
			this.#lookLater();
		});
	}

	/** Once, at the start: what is older than it should be, or where others can read it. */
	async #tellRisks(): Promise<void> {
		const findings = await this.desk.check();
		for (const { kind, message, next } of findings) {
			if (kind === "old" || kind === "argument")
				this.#parts.options.log.warn({}, `${message} ${next}`);
		}
	}
}

const default_keep_ms = 5 * 60_000;

function isElsewhere({ kind }: { readonly kind: string }): boolean {
	return kind === "file" || kind === "vault" || kind === "envfile";
}

/** What Moorage logs in with, as it is now; what proves who it is is redacted from then on. */
async function credentialsOf(
	{ mount, role, proof }: VaultLoginPlan,
	sources: ValueSources,
	redactor: SecretRedactor,
): Promise<Result<VaultCredentials, ValueProblem>> {
	const body: Record<string, string> = { ...role };
	for (const [name, template] of Object.entries(proof)) {
		const value = await filled(template, sources);
		if (!value.ok) return value;
		redactor.add(value.value);
		body[name] = value.value;
	}
	return succeed({ mount, body });
}

/** A template of the vault's own settings. */
async function filled(
	template: string,
	sources: ValueSources,
): Promise<Result<string, ValueProblem>> {
	let text = "";
	for (const part of templateParts(template)) {
		const use = { server: "", owner: {} };
		const value = typeof part === "string" ? succeed(part) : await valueOf(part, sources, use);
		if (!value.ok) return value;
		text += value.value;
	}
	return succeed(text.trim());
}
