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
	/** Where sessions are kept over a restart. */
	readonly store: {
		/** All of them, the oldest first. */
		load(): Promise<readonly KeptSession[]>;
		/** Adds one and lets go of those with these ids: both, or neither. */
		change(added: KeptSession | undefined, gone: readonly string[]): Promise<void>;
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

/** A session as it is kept. */
export interface KeptSession extends SessionSummary {
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
/** Sessions there may be. */
export const sessions_max = 1_000;
/** Of one person: whoever signs in again and again ends their own, and nobody else's. */
export const sessions_each_max = 20;
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
	/** The oldest first. */
	readonly #by_hash = new Map<string, KeptSession>();
	readonly #by_id = new Map<string, KeptSession>();
	/** One-time links by their hashes, the oldest first. */
	readonly #links = new Map<string, Link>();
	/** What was opened already: unsealing costs more than looking up. */
	readonly #holders = new Map<string, SessionHolder>();
	readonly #listeners = new Set<(id: string) => void>();

	constructor(options: SessionOptions) {
		this.#options = options;
	}

	/** Takes up the sessions of the run before that last, and lets go of the others. */
	async restore(): Promise<void> {
		const { store } = this.#options;
		const kept = await store.load();
		const lasting = kept.filter(({ expires_at_ms }) => expires_at_ms > this.#now());
		for (const session of lasting.slice(-sessions_max)) this.#take(session);
		const gone = kept.map(({ id }) => id).filter((id) => !this.#by_id.has(id));
		if (gone.length > 0) await store.change(undefined, gone);
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

	/**
	 * Opens a session for somebody who was found to be the principal of that id.
	 * @param before the id of the session that this one takes the place of
	 */
	async open(holder: SessionHolder, principal: string, before?: string): Promise<OpenedSession> {
		const { random, box, store } = this.#options;
		const token = this.#draw();
		const now_ms = this.#now();
		const session: KeptSession = {
			id: random.uuid(),
			hash: hashOf(token),
			principal,
			created_at_ms: now_ms,
			expires_at_ms: Math.min(now_ms + session_ms, untilOf(holder)),
			sealed: box.seal(JSON.stringify(holder), about),
		};
		const gone = this.#roomFor(principal, before);
		for (const one of gone) this.#forget(one);
		this.#take(session);
		await store.change(session, idsOf(gone));
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
		const session = this.#by_id.get(id);
		return session !== undefined && session.expires_at_ms > this.#now();
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
		const session = this.#by_id.get(id);
		if (session === undefined) return false;
		this.#forget(session);
		await this.#options.store.change(undefined, [id]);
		return true;
	}

	/** Ends every session of a principal, and their links to one; how many sessions there were. */
	async endAllOf(principal: string): Promise<number> {
		for (const hash of this.#linksOf(principal)) this.#links.delete(hash);
		const theirs = this.#of(principal);
		for (const one of theirs) this.#forget(one);
		if (theirs.length > 0) await this.#options.store.change(undefined, idsOf(theirs));
		return theirs.length;
	}

	/** What goes where one more comes: what is over or replaced, and the oldest of too many. */
	#roomFor(principal: string, before: string | undefined): KeptSession[] {
		const now_ms = this.#now();
		const [over, lasting] = split(this.#by_hash.values(), ({ id, expires_at_ms }) => {
			return id === before || expires_at_ms <= now_ms;
		});
		const [theirs, others] = split(lasting, (one) => one.principal === principal);
		const ended = theirs.slice(0, Math.max(0, theirs.length + 1 - sessions_each_max));
		const left = theirs.length - ended.length + others.length;
		return [...over, ...ended, ...lasting.slice(0, left + 1 > sessions_max ? 1 : 0)];
	}

	#take(session: KeptSession): void {
		this.#by_hash.set(session.hash, session);
		this.#by_id.set(session.id, session);
	}

	/** The hashes of somebody's links, the oldest first. */
	#linksOf(principal: string): string[] {
		return [...this.#links].filter(([, one]) => one.principal === principal).map(([hash]) => hash);
	}

	/** The oldest first. */
	#of(principal: string): KeptSession[] {
		return [...this.#by_hash.values()].filter((one) => one.principal === principal);
	}

	#unseal({ sealed }: KeptSession): SessionHolder | undefined {
		const text = this.#options.box.open(sealed, about);
		if (text === undefined) return undefined;
		// Sessions of earlier versions stand for a bare credential, and none begins like this.
		if (!text.startsWith("{")) return { kind: "credential", credential: text };
		return JSON.parse(text) as SessionHolder;
	}

	#forget({ hash, id }: KeptSession): void {
		this.#by_hash.delete(hash);
		this.#by_id.delete(id);
		this.#holders.delete(hash);
		for (const listener of this.#listeners) listener(id);
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

function idsOf(sessions: readonly KeptSession[]): string[] {
	return sessions.map(({ id }) => id);
}

/** Those of which it is true, and the others. */
function split(
	sessions: Iterable<KeptSession>,
	isTrue: (session: KeptSession) => boolean,
): readonly [KeptSession[], KeptSession[]] {
	const parts: [KeptSession[], KeptSession[]] = [[], []];
	for (const one of sessions) parts[isTrue(one) ? 0 : 1].push(one);
	return parts;
}
