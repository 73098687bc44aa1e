import { createHash, createHmac } from "node:crypto";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import type { SecretBox } from "../secrets/box.ts";

/** What a provider gave at a sign-in, kept to sign out there, too. */
export interface SignedInElsewhere {
	/** Its name in the configuration, and the issuer that it had. */
	readonly provider: string;
	readonly issuer: string;
	/** Says to the provider whose session is to end. */
	readonly id_token?: string | undefined;
	/** To be revoked. */
	readonly token?: string | undefined;
}

/** Somebody who signed in with their name, and so has no credential that could be presented. */
export type PersonHolder =
	/** A person of the store; `mark` is another once they have another password. */
	| {
			readonly kind: "account";
			readonly tenant: string;
			readonly user: string;
			readonly mark: string;
			readonly elsewhere?: SignedInElsewhere | undefined;
	  }
	/** Somebody by the word of an issuer, as it was given until then. */
	| {
			readonly kind: "vouched";
			readonly issuer: string;
			readonly tenant: string;
			readonly user: string;
			readonly roles: readonly string[];
			readonly claims: Readonly<Record<string, unknown>>;
			readonly until_ms: number;
			readonly elsewhere?: SignedInElsewhere | undefined;
	  };

/** What a session stands for. Who that is, and what they may, is found out with every request. */
export type SessionHolder =
	| PersonHolder
	/** A bearer token or key, as it was presented. */
	| { readonly kind: "credential"; readonly credential: string };

/** What sessions are kept with. */
export interface SessionOptions {
	readonly clock: Clock;
	readonly random: Random;
	/** Seals what sessions stand for. */
	readonly box: SecretBox;
	/** Where sessions are kept over a restart: one text. */
	readonly store: {
		load(): Promise<string | undefined>;
		save(text: string): Promise<void>;
	};
}

/** A session as it was just opened: the token is told once, in a cookie. */
export interface OpenedSession {
	readonly id: string;
	readonly token: string;
	readonly csrf: string;
	readonly expires_at_ms: number;
	/** How long that is from now. */
	readonly lasts_ms: number;
}

/** A session that a request came with. */
export interface FoundSession {
	readonly id: string;
	readonly holder: SessionHolder;
	/** Every change needs it in a header: a page of another origin cannot know it. */
	readonly csrf: string;
	readonly expires_at_ms: number;
}

/** A session as people see it. */
export interface SessionSummary {
	readonly id: string;
	readonly principal: string;
	readonly created_at_ms: number;
	readonly expires_at_ms: number;
}

interface StoredSession extends SessionSummary {
	/** SHA-256 of the token. */
	readonly hash: string;
	/** What it stands for, sealed. */
	readonly sealed: string;
}

interface Link {
	readonly holder: SessionHolder;
	readonly principal: string;
	readonly until_ms: number;
}

/** A session ends this long after it was opened. */
export const session_ms = 7 * 24 * 60 * 60_000;
/** A link that nobody opened ends after this long. */
export const link_ms = 30 * 60_000;
const sessions_max = 1_000;
/** Of one person: whoever signs in again and again ends their own, and nobody else's. */
const sessions_each_max = 20;
const links_max = 1_000;
/** Of one person, as with sessions. */
const links_each_max = 16;
const token_bytes = 32;
const about = "dashboard-session";

/**
 * Sessions of people in a browser. A session stands for a credential or a person, who is looked up
 * anew with every request: whoever loses a key, a role or an account loses it in every open page
 * too. Tokens are kept as hashes, what they stand for sealed.
 */
export class DashboardSessions {
	readonly #options: SessionOptions;
	readonly #by_hash = new Map<string, StoredSession>();
	/** One-time links by their hashes, the oldest first. */
	readonly #links = new Map<string, Link>();
	/** What was opened already: unsealing costs more than looking up. */
	readonly #holders = new Map<string, SessionHolder>();
	readonly #listeners = new Set<(id: string) => void>();

	constructor(options: SessionOptions) {
		this.#options = options;
	}

	/** Takes up the sessions of the run before. */
	async restore(): Promise<void> {
		for (const session of parse(await this.#options.store.load())) {
			if (session.expires_at_ms > this.#now()) this.#by_hash.set(session.hash, session);
		}
	}

	/** A token that opens one session for somebody who was found to be the principal of that id. */
	makeLink(holder: SessionHolder, principal: string): string {
		const token = this.#draw();
		const theirs = this.#linksOf(principal);
		// Whoever makes many pushes out their own, and of all people's the oldest only at the bound.
		const [oldest] = theirs.length >= links_each_max ? theirs : this.#links.keys();
		const is_full = theirs.length >= links_each_max || this.#links.size >= links_max;
		if (is_full && oldest !== undefined) this.#links.delete(oldest);
		const until_ms = this.#now() + link_ms;
		this.#links.set(hashOf(token), { holder, principal, until_ms });
		return token;
	}

	/** Whom a link is for, once. */
	takeLink(token: string): SessionHolder | undefined {
		const hash = hashOf(token);
		const link = this.#links.get(hash);
		this.#links.delete(hash);
		return link !== undefined && link.until_ms > this.#now() ? link.holder : undefined;
	}

	/** Opens a session for somebody who was found to be the principal of that id. */
	async open(holder: SessionHolder, principal: string): Promise<OpenedSession> {
		const { random, box } = this.#options;
		const token = this.#draw();
		const now_ms = this.#now();
		const session: StoredSession = {
			id: random.uuid(),
			hash: hashOf(token),
			principal,
			created_at_ms: now_ms,
			expires_at_ms: Math.min(now_ms + session_ms, untilOf(holder)),
			sealed: box.seal(JSON.stringify(holder), about),
		};
		this.#makeRoom(principal);
		this.#by_hash.set(session.hash, session);
		await this.#save();
		const { id, expires_at_ms } = session;
		return { id, token, csrf: csrfOf(token), expires_at_ms, lasts_ms: expires_at_ms - now_ms };
	}

	/** The session of a token, while it lasts. */
	find(token: string): FoundSession | undefined {
		const hash = hashOf(token);
		const session = this.#by_hash.get(hash);
		if (session === undefined || session.expires_at_ms <= this.#now()) return undefined;
		const holder = this.#holders.get(hash) ?? this.#unseal(session);
		if (holder === undefined) return undefined;
		this.#holders.set(hash, holder);
		const { id, expires_at_ms } = session;
		return { id, holder, csrf: csrfOf(token), expires_at_ms };
	}

	/** Whether a session lasts. */
	isOpen(id: string): boolean {
		return this.list().some((one) => one.id === id);
	}

	/** Calls `listener` with the id of every session that is ended, once it is. */
	onEnd(listener: (id: string) => void): void {
		this.#listeners.add(listener);
	}

	/** Every open session, the latest first. */
	list(): SessionSummary[] {
		const now_ms = this.#now();
		return [...this.#by_hash.values()]
			.filter(({ expires_at_ms }) => expires_at_ms > now_ms)
			.map(({ hash: _hash, sealed: _sealed, ...summary }) => summary)
			.toReversed();
	}

	/** Ends a session; false when there is none of this id. */
	async end(id: string): Promise<boolean> {
		const session = [...this.#by_hash.values()].find((one) => one.id === id);
		if (session === undefined) return false;
		this.#forget(session);
		await this.#save();
		return true;
	}

	/** Ends every session of a principal, and their links to one; how many sessions there were. */
	async endAllOf(principal: string): Promise<number> {
		for (const hash of this.#linksOf(principal)) this.#links.delete(hash);
		const theirs = this.#of(principal);
		for (const one of theirs) this.#forget(one);
		if (theirs.length > 0) await this.#save();
		return theirs.length;
	}

	/** Lets go of what is over, and of the oldest where there are too many. */
	#makeRoom(principal: string): void {
		for (const one of [...this.#by_hash.values()]) {
			if (one.expires_at_ms <= this.#now()) this.#forget(one);
		}
		const theirs = this.#of(principal);
		for (const one of theirs.slice(0, Math.max(0, theirs.length + 1 - sessions_each_max))) {
			this.#forget(one);
		}
		const [oldest] = this.#by_hash.values();
		if (oldest !== undefined && this.#by_hash.size >= sessions_max) this.#forget(oldest);
	}

	/** The hashes of somebody's links, the oldest first. */
	#linksOf(principal: string): string[] {
		return [...this.#links].filter(([, one]) => one.principal === principal).map(([hash]) => hash);
	}

	/** The oldest first. */
	#of(principal: string): StoredSession[] {
		return [...this.#by_hash.values()].filter((one) => one.principal === principal);
	}

	#unseal({ sealed }: StoredSession): SessionHolder | undefined {
		const text = this.#options.box.open(sealed, about);
		if (text === undefined) return undefined;
		// Sessions of earlier versions stand for a bare credential, and none begins like this.
		if (!text.startsWith("{")) return { kind: "credential", credential: text };
		return JSON.parse(text) as SessionHolder;
	}

	#forget({ hash, id }: StoredSession): void {
		this.#by_hash.delete(hash);
		this.#holders.delete(hash);
		for (const listener of this.#listeners) listener(id);
	}

	#save(): Promise<void> {
		return this.#options.store.save(JSON.stringify([...this.#by_hash.values()]));
	}

	#draw(): string {
		return this.#options.random.bytes(token_bytes).toString("base64url");
	}

	#now(): number {
		return this.#options.clock.now();
	}
}

/** Until when a session for somebody may last, in milliseconds since the epoch. */
function untilOf(holder: SessionHolder): number {
	return holder.kind === "vouched" ? holder.until_ms : Number.POSITIVE_INFINITY;
}

function hashOf(token: string): string {
	return createHash("sha256").update(token).digest("base64url");
}

/** Made from the token, so that it needs no place of its own; it does not lead back to it. */
function csrfOf(token: string): string {
	return createHmac("sha256", token).update("csrf").digest("base64url");
}

function parse(text: string | undefined): StoredSession[] {
	if (text === undefined) return [];
	try {
		const value: unknown = JSON.parse(text);
		return Array.isArray(value) ? (value as StoredSession[]) : [];
	} catch {
		return [];
	}
}
