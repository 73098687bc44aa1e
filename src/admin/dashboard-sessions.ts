import { createHash, createHmac } from "node:crypto";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import type { SecretBox } from "../secrets/box.ts";

/** What sessions are kept with. */
export interface SessionOptions {
	readonly clock: Clock;
	readonly random: Random;
	/** Seals the credentials that sessions stand for. */
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
}

/** A session that a request came with. */
export interface FoundSession {
	readonly id: string;
	/** The credential it stands for: a bearer token or key, as it was presented. */
	readonly credential: string;
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
	/** The credential, sealed. */
	readonly sealed: string;
}

/** A session ends this long after it was opened. */
export const session_ms = 7 * 24 * 60 * 60_000;
/** A link that nobody opened ends after this long. */
export const link_ms = 30 * 60_000;
const sessions_max = 200;
const links_max = 16;
const token_bytes = 32;
const about = "dashboard-session";

/**
 * Sessions of people in a browser. A session stands for the credential it was opened with, which
 * is presented anew with every request: whoever loses a key, a role or an account loses it in
 * every open page too. Tokens are kept as hashes, credentials sealed.
 */
export class DashboardSessions {
	readonly #options: SessionOptions;
	readonly #by_hash = new Map<string, StoredSession>();
	/** Hashes of one-time links, and until when each is good. */
	readonly #links = new Map<string, { readonly credential: string; readonly until_ms: number }>();
	/** Credentials that were opened already: unsealing costs more than looking up. */
	readonly #credentials = new Map<string, string>();

	constructor(options: SessionOptions) {
		this.#options = options;
	}

	/** Takes up the sessions of the run before. */
	async restore(): Promise<void> {
		for (const session of parse(await this.#options.store.load())) {
			if (session.expires_at_ms > this.#now()) this.#by_hash.set(session.hash, session);
		}
	}

	/** A token that opens one session for whoever has this credential. */
	makeLink(credential: string): string {
		const token = this.#draw();
		if (this.#links.size >= links_max) {
			const oldest = this.#links.keys().next().value;
			if (oldest !== undefined) this.#links.delete(oldest);
		}
		this.#links.set(hashOf(token), { credential, until_ms: this.#now() + link_ms });
		return token;
	}

	/** The credential of a link, once. */
	takeLink(token: string): string | undefined {
		const hash = hashOf(token);
		const link = this.#links.get(hash);
		this.#links.delete(hash);
		return link !== undefined && link.until_ms > this.#now() ? link.credential : undefined;
	}

	/** Opens a session for a credential that was found good. */
	async open(credential: string, principal: string): Promise<OpenedSession> {
		const { random, box } = this.#options;
		const token = this.#draw();
		const now_ms = this.#now();
		const session: StoredSession = {
			id: random.uuid(),
			hash: hashOf(token),
			principal,
			created_at_ms: now_ms,
			expires_at_ms: now_ms + session_ms,
			sealed: box.seal(credential, about),
		};
		for (const one of this.#by_hash.values()) {
			if (one.expires_at_ms <= now_ms || this.#by_hash.size >= sessions_max) this.#forget(one);
		}
		this.#by_hash.set(session.hash, session);
		await this.#save();
		const { id, expires_at_ms } = session;
		return { id, token, csrf: csrfOf(token), expires_at_ms };
	}

	/** The session of a token, while it lasts. */
	find(token: string): FoundSession | undefined {
		const hash = hashOf(token);
		const session = this.#by_hash.get(hash);
		if (session === undefined || session.expires_at_ms <= this.#now()) return undefined;
		const credential = this.#credentials.get(hash) ?? this.#options.box.open(session.sealed, about);
		if (credential === undefined) return undefined;
		this.#credentials.set(hash, credential);
		const { id, expires_at_ms } = session;
		return { id, credential, csrf: csrfOf(token), expires_at_ms };
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

	#forget({ hash }: StoredSession): void {
		this.#by_hash.delete(hash);
		this.#credentials.delete(hash);
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
