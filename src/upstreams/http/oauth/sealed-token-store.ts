import * as z from "zod";
import type { Clock } from "../../../lib/clock.ts";
import type { SecretBox } from "../../../secrets/box.ts";
import type { SecretRedactor } from "../../../secrets/redactor.ts";
import type { GrantOwner, GrantRepository, StoredGrant } from "../../../store/grant-repository.ts";
import type { Log } from "../../../telemetry/log.ts";
import { type Grant, type GrantKey, type Registration, type TokenStore } from "./token-store.ts";

/** What grants are kept with. */
export interface SealedTokenStoreOptions {
	readonly repository: GrantRepository;
	readonly box: SecretBox;
	readonly redactor: Pick<SecretRedactor, "add" | "forget">;
	readonly clock: Clock;
	readonly log: Pick<Log, "warn">;
	/** Told of what another grant has taken the place of that was given to another client of ours. */
	readonly onReplaced?: ((key: Omit<GrantKey, "about">, before: OpenedGrant) => void) | undefined;
}

/** A grant, as those who run the gateway see it. */
export interface KeptGrant {
	readonly owner: Omit<GrantKey, "about">;
	readonly about: string;
	readonly grant: Grant;
	readonly created_at_ms: number;
	readonly changed_at_ms: number;
}

/** A grant with what it is about. */
export interface OpenedGrant {
	readonly about: string;
	readonly grant: Grant;
}

/** What was removed. */
export interface RemovedGrants {
	/** Rows, those that cannot be read too. */
	readonly removed: number;
	readonly grants: readonly OpenedGrant[];
}

/** What failed to be written is written again after this long. */
const again_ms = 2_000;

const registration_schema = z.object({
	client_id: z.string(),
	client_secret: z.string().optional(),
	auth_method: z.string().optional(),
	redirect_uri: z.string().optional(),
	expires_at_ms: z.number().optional(),
});
const grant_schema = z.object({
	about: z.string(),
	resource: z.string(),
	access_token: z.string(),
	refresh_token: z.string().optional(),
	scopes: z.array(z.string()),
	renew_at_ms: z.number().optional(),
	registration: registration_schema.optional(),
	client_id: z.string().optional(),
});

/**
 * Keeps grants and registrations in the store, sealed: they outlive a restart. Every token is
 * redacted from before it is kept until two newer ones have taken its place. What the database
 * does not take at once is used from memory, and written as soon as it can be: a refresh token
 * that is good once must not be lost because a disk was full for a moment.
 */
export class SealedTokenStore implements TokenStore {
	readonly #options: SealedTokenStoreOptions;
	/** What is not written yet, by what it is about; undefined stands for a removal. */
	readonly #unwritten = new Map<string, { key: GrantKey; grant: Grant | undefined }>();
	/** Tokens by what they are about: those in use and those before them. */
	readonly #told = new Map<string, readonly string[][]>();
	#writing: Promise<void> = Promise.resolve();
	#timer: { cancel(): void } | undefined;

	constructor(options: SealedTokenStoreOptions) {
		this.#options = options;
	}

	/** Opens everything that is kept, so that its tokens are redacted from now on. */
	async start(): Promise<void> {
		const { repository, log } = this.#options;
		let damaged = 0;
		for (const row of await repository.list()) {
			const opened = this.#open(row);
			if (opened === undefined) damaged += 1;
			else this.#tell({ ...row, about: opened.about }, opened.grant);
		}
		for (const { sealed, used_by, issuer } of await repository.clients("")) {
			const opened = this.#openClient(sealed, used_by, issuer);
			if (opened?.client_secret !== undefined) this.#options.redactor.add(opened.client_secret);
		}
		if (damaged > 0) {
			log.warn(
				{ damaged },
				"some authorizations at remote servers cannot be read any more: they will be asked for anew",
			);
		}
	}

	/** Writes what waits, once more. */
	async close(): Promise<void> {
		this.#timer?.cancel();
		await this.#writeAll();
		this.#timer?.cancel();
	}

	async grants(key: GrantKey): Promise<readonly Grant[]> {
		await this.#writing;
		const waiting = [...this.#unwritten.values()].filter((one) => isSame(one.key, key));
		const rows = await this.#options.repository.of(key, key.server);
		const stored = rows.flatMap((row) => {
			const opened = this.#open(row);
			if (opened === undefined || opened.about !== key.about) return [];
			return this.#unwritten.has(placeOf(key, row.issuer)) ? [] : [opened.grant];
		});
		return [...waiting.flatMap(({ grant }) => grant ?? []), ...stored];
	}

	/** Whether an owner has anything at a server that is still of use there. */
	async has(key: GrantKey): Promise<boolean> {
		return (await this.grants(key)).length > 0;
	}

	/** Everything that can be read, of those owners that are wanted. */
	async list(wanted: (owner: GrantOwner) => boolean = () => true): Promise<KeptGrant[]> {
		const rows = (await this.#options.repository.list()).filter(wanted);
		return rows.flatMap((row) => {
			const { tenant, user, server, created_at_ms, changed_at_ms } = row;
			const opened = this.#open(row);
			const owner = { tenant, user, server };
			return opened === undefined ? [] : [{ owner, ...opened, created_at_ms, changed_at_ms }];
		});
	}

	/**
	 * Removes the grants of an owner at a server, those that cannot be read too: how many there were,
	 * and what those were that can be read, for their issuers to be told.
	 */
	async revoke({ tenant, user, server }: Omit<GrantKey, "about">): Promise<RemovedGrants> {
		await this.#writing;
		const { repository } = this.#options;
		const stored = (await repository.of({ tenant, user }, server)).flatMap((row) => {
			const opened = this.#open(row);
			const is_older = this.#unwritten.has(placeOf({ tenant, user, server }, row.issuer));
			return opened === undefined || is_older ? [] : [opened];
		});
		const unwritten: OpenedGrant[] = [];
		for (const [place, { key, grant }] of this.#unwritten) {
			const is_theirs = key.tenant === tenant && key.user === user && key.server === server;
			if (!is_theirs) continue;
			this.#unwritten.delete(place);
			if (grant !== undefined) unwritten.push({ about: key.about, grant });
		}
		const removed = await repository.remove({ tenant, user }, server);
		return { removed, grants: [...unwritten, ...stored] };
	}

	async keep(key: GrantKey, grant: Grant): Promise<void> {
		this.#tell(key, grant);
		await this.#change(key, grant.issuer, grant);
	}

	async end(key: GrantKey, issuer: string): Promise<void> {
		await this.#change(key, issuer, undefined);
	}

	async registrations(used_by: string): Promise<Readonly<Record<string, Registration>>> {
		const rows = await this.#options.repository.clients(used_by);
		const found = rows.flatMap(({ sealed, issuer }) => {
			const opened = this.#openClient(sealed, used_by, issuer);
			return opened === undefined ? [] : [[issuer, opened] as const];
		});
		return Object.fromEntries(found);
	}

	async register(used_by: string, issuer: string, registration: Registration): Promise<void> {
		const { repository, box, redactor, clock, log } = this.#options;
		const { client_secret } = registration;
		if (client_secret !== undefined) redactor.add(client_secret);
		const sealed = box.seal(JSON.stringify(registration), clientAbout(used_by, issuer));
		// Without it we register once more; nothing is lost.
		await repository
			.putClient({ used_by, issuer, sealed, created_at_ms: clock.now() })
			.catch((error: unknown) => log.warn({ err: error, issuer }, "a registration was not kept"));
	}

	async unregister(used_by: string, issuer: string): Promise<void> {
		const { repository, log } = this.#options;
		await repository
			.removeClient(used_by, issuer)
			.catch((error: unknown) =>
				log.warn({ err: error, issuer }, "a registration was not removed"),
			);
	}

	async #change(key: GrantKey, issuer: string, grant: Grant | undefined): Promise<void> {
		this.#unwritten.set(placeOf(key, issuer), { key, grant });
		await this.#writeAll();
	}

	#writeAll(): Promise<void> {
		this.#writing = this.#writing.then(async () => {
			for (const [place, change] of [...this.#unwritten]) {
				try {
					await this.#write(place, change);
					// A newer one may have come meanwhile.
					if (this.#unwritten.get(place) === change) this.#unwritten.delete(place);
				} catch (error) {
					this.#options.log.warn(
						{ err: error, server: change.key.server },
						"an authorization at a remote server could not be written to the store: it is tried again",
					);
					this.#againLater();
					return;
				}
			}
		});
		return this.#writing;
	}

	async #write(
		place: string,
		{ key, grant }: { key: GrantKey; grant: Grant | undefined },
	): Promise<void> {
		const { repository, box, clock } = this.#options;
		const { tenant, user, server, about } = key;
		const issuer = issuerOf(place);
		if (grant === undefined) {
			await repository.remove(key, server, issuer);
			return;
		}
		const owner = { tenant, user, server, issuer };
		const before = (await repository.of(key, server)).find((row) => row.issuer === issuer);
		const { issuer: _, ...rest } = grant;
		const sealed = box.seal(JSON.stringify({ about, ...rest }), grantAbout(owner));
		const now_ms = clock.now();
		await repository.put({ ...owner, sealed, created_at_ms: now_ms, changed_at_ms: now_ms });
		const replaced = before && this.#open(before);
		if (replaced === undefined || replaced.about === about) return;
		// An issuer may end with one grant of a client all of them, the new one too (RFC 7009 2.1).
		const [was, is] = [clientOf(replaced.grant), clientOf(grant)];
		if (was === undefined || was === is) return;
		this.#options.onReplaced?.({ tenant, user, server }, replaced);
	}

	#againLater(): void {
		this.#timer?.cancel();
		this.#timer = this.#options.clock.afterIdle(again_ms, () => void this.#writeAll());
	}

	#open(row: StoredGrant): OpenedGrant | undefined {
		const parsed = grant_schema.safeParse(
			parseJson(this.#options.box.open(row.sealed, grantAbout(row))),
		);
		if (!parsed.success) return undefined;
		const { about, registration, ...rest } = parsed.data;
		return {
			about,
			grant: {
				issuer: row.issuer,
				resource: rest.resource,
				access_token: rest.access_token,
				refresh_token: rest.refresh_token,
				scopes: rest.scopes,
				renew_at_ms: rest.renew_at_ms,
				registration: registration && complete(registration),
				...(rest.client_id !== undefined && { client_id: rest.client_id }),
			},
		};
	}

	#openClient(sealed: string, used_by: string, issuer: string): Registration | undefined {
		const text = this.#options.box.open(sealed, clientAbout(used_by, issuer));
		const parsed = registration_schema.safeParse(parseJson(text));
		return parsed.success ? complete(parsed.data) : undefined;
	}

	#tell(key: GrantKey, { issuer, access_token, refresh_token, registration }: Grant): void {
		const { redactor } = this.#options;
		// What Moorage shows of itself is the same for many people: none of them ends it.
		if (registration?.client_secret !== undefined) redactor.add(registration.client_secret);
		const values = [access_token, refresh_token].flatMap((value) => value ?? []);
		for (const value of values) redactor.add(value);
		const place = placeOf(key, issuer);
		const [last = [], ...older] = this.#told.get(place) ?? [];
		this.#told.set(place, [values, last]);
		// Kept for good, the tokens of a long life would push everything else out.
		const kept = new Set([...values, ...last]);
		for (const value of older.flat()) if (!kept.has(value)) redactor.forget(value);
	}
}

function clientOf({ client_id, registration }: Grant): string | undefined {
	return client_id ?? registration?.client_id;
}

function isSame(one: GrantKey, other: GrantKey): boolean {
	return (
		one.tenant === other.tenant &&
		one.user === other.user &&
		one.server === other.server &&
		one.about === other.about
	);
}

function placeOf({ tenant, user, server }: Omit<GrantKey, "about">, issuer: string): string {
	return JSON.stringify([tenant, user, server, issuer]);
}

function issuerOf(place: string): string {
	return (JSON.parse(place) as string[])[3] as string;
}

/** Bound to each row, so that one cannot be put in the place of another. */
function grantAbout(row: Pick<StoredGrant, "tenant" | "user" | "server" | "issuer">): string {
	return `upstream grant\0${row.tenant}\0${row.user}\0${row.server}\0${row.issuer}`;
}

function clientAbout(used_by: string, issuer: string): string {
	return `upstream client\0${used_by}\0${issuer}`;
}

function complete(registration: z.output<typeof registration_schema>): Registration {
	const { client_id, client_secret, auth_method, redirect_uri, expires_at_ms } = registration;
	return { client_id, client_secret, auth_method, redirect_uri, expires_at_ms };
}

function parseJson(text: string | undefined): unknown {
	try {
		return JSON.parse(text ?? "null");
	} catch {
		return null;
	}
}
