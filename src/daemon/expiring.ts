import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Expiring } from "../alerts/facts.ts";
import { default_secrets } from "../config/compile-secrets.ts";
import type { Plan } from "../config/plan.ts";
import type { People } from "../identity/people.ts";
import type { Clock } from "../lib/clock.ts";
import type { Vault } from "../secrets/vault.ts";
import type { GrantDesk } from "./grant-desk.ts";

/** Where credentials are kept. */
export interface CredentialRooms {
	readonly accounts: { readonly people: Pick<People, "keys"> };
	readonly secrets: { readonly vault: Pick<Vault, "list"> };
	readonly grants: { readonly desk: Pick<GrantDesk, "list"> };
}

/** What knows of credentials. */
export interface ExpiryParts {
	readonly clock: Pick<Clock, "monotonic">;
	plan(): Plan;
	rooms(): CredentialRooms;
}

/** What is read from the store and from files is read again after this long. */
const keep_ms = 60_000;
const day_ms = 86_400_000;

/** Every credential of a gateway that stops working at a time that is known. */
export class CredentialExpiry {
	readonly #parts: ExpiryParts;
	#read: { readonly at_ms: number; readonly found: Promise<readonly Expiring[]> } | undefined;

	constructor(parts: ExpiryParts) {
		this.#parts = parts;
	}

	/** Rejects where the store cannot be read. */
	async list(): Promise<readonly Expiring[]> {
		return [...this.#keys(), ...(await this.#stored())];
	}

	/** Keys of the configuration, and those that were made since. */
	#keys(): Expiring[] {
		const configured = this.#parts.plan().identity?.keys ?? [];
		const stored = this.#parts.rooms().accounts.people.keys();
		return [...configured, ...stored].flatMap(({ name, expires_at_ms }) =>
			expires_at_ms === undefined ? [] : [{ kind: "key", name, expires_at_ms }],
		);
	}

	async #stored(): Promise<readonly Expiring[]> {
		const now_ms = this.#parts.clock.monotonic();
		if (this.#read === undefined || now_ms - this.#read.at_ms >= keep_ms) {
			const found = Promise.all([this.#secrets(), this.#grants(), this.#certificates()]);
			this.#read = { at_ms: now_ms, found: found.then((each) => each.flat()) };
		}
		try {
			return await this.#read.found;
		} catch (error) {
			this.#read = undefined;
			throw error;
		}
	}

	/** Values are to be exchanged once they are as old as the configuration says. */
	async #secrets(): Promise<Expiring[]> {
		const { age_days_max } = this.#parts.plan().secrets ?? default_secrets;
		const secrets = await this.#parts.rooms().secrets.vault.list();
		return secrets.map(({ name, tenant, user, changed_at_ms }) => ({
			kind: "secret",
			name: [name, tenant, user].filter((part) => part !== "").join("/"),
			since_ms: changed_at_ms,
			expires_at_ms: changed_at_ms + age_days_max * day_ms,
		}));
	}

	/**
	 * Authorizations at remote servers that somebody has to give again. Those that are good for less
	 * than a day are left out: where that is how it is, people are asked each time anyway.
	 */
	async #grants(): Promise<Expiring[]> {
		const asked = new Set(
			this.#parts
				.plan()
				.servers.flatMap(({ name, spec }) =>
					spec.driver === "http" && spec.auth?.grant === "authorization_code" ? [name] : [],
				),
		);
		const grants = await this.#parts.rooms().grants.desk.list();
		// Of several issuers, the one that was asked last is in use.
		const latest = new Map<string, (typeof grants)[number]>();
		for (const grant of grants.toSorted((a, b) => a.changed_at_ms - b.changed_at_ms)) {
			const { server, tenant, user } = grant;
			latest.set([server, tenant, user].filter((part) => part !== "").join("/"), grant);
		}
		return [...latest].flatMap(([name, { server, renewable, renew_at_ms, changed_at_ms }]) => {
			const lasts_ms = (renew_at_ms ?? 0) - changed_at_ms;
			if (renewable || renew_at_ms === undefined || lasts_ms < day_ms || !asked.has(server)) {
				return [];
			}
			return [{ kind: "grant", name, since_ms: changed_at_ms, expires_at_ms: renew_at_ms }];
		});
	}

	/** The certificate we show, and the authorities that those of clients are checked against. */
	async #certificates(): Promise<Expiring[]> {
		const { tls } = this.#parts.plan().front;
		const paths = [tls?.cert, tls?.client_ca].filter((path) => path !== undefined);
		const found = await Promise.all(paths.map((path) => certificateAt(path)));
		return found.flatMap((one) => one ?? []);
	}
}

const certificate_form = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The one of a file's certificates that ends first. What is not readable is told elsewhere. */
async function certificateAt(path: string): Promise<Expiring | undefined> {
	try {
		const pem = await readFile(path, "utf8");
		const all = pem.match(certificate_form) ?? [];
		const ends = all.map((text) => {
			const { validFromDate, validToDate } = new X509Certificate(text);
			return { since_ms: validFromDate.getTime(), expires_at_ms: validToDate.getTime() };
		});
		const [first] = ends.sort((a, b) => a.expires_at_ms - b.expires_at_ms);
		return first === undefined ? undefined : { kind: "certificate", name: path, ...first };
	} catch {
		return undefined;
	}
}
