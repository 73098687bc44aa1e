import { partsOfPrincipal } from "../identity/principal.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import type { StoreWriter } from "../store/repositories.ts";
import type { SessionRepository, StoredSession } from "../store/session-repository.ts";
import { Interner } from "./interner.ts";

/** A client session of the legacy era, as the rest of the house sees it. */
export interface Session {
	/** 256 random bits in base64url: the value of `Mcp-Session-Id`, all of it visible ASCII. */
	readonly id: string;
	/** The endpoint the session was opened at; it is unknown at any other. */
	readonly endpoint: string;
	/** Who opened it; it is unknown to anyone else. */
	readonly principal: string;
	/** The protocol revision agreed on. */
	readonly revision: string;
	/** Raw JSON objects, as the client wrote them. */
	readonly client_capabilities: string;
	readonly client_info: string;
	readonly created_at_ms: number;
	readonly used_at_ms: number;
	/** The level the client asked to be told from on; undefined when it did not ask. */
	readonly log_level: string | undefined;
	/** Resource uris the client subscribed to. */
	readonly subscriptions: ReadonlySet<string>;
}

/** What a session is opened with. */
export type SessionParts = Pick<
	Session,
	"endpoint" | "principal" | "revision" | "client_capabilities" | "client_info"
>;

/** What sessions are kept with. */
export interface SessionsOptions {
	readonly clock: Clock;
	readonly random: Random;
	/** Where changes are written behind; the repository it writes to is the one below. */
	readonly writer: StoreWriter;
	readonly repository: Pick<SessionRepository, "load">;
	readonly sessions_max: number;
	/** A session unused for this long ends; 24 hours unless given. */
	readonly idle_ms?: number;
	/** How long the longest unused session must be unused to make room; 1 hour unless given. */
	readonly evict_ms?: number;
	/** How exactly the time of last use is stored; 1 minute unless given. */
	readonly touch_ms?: number;
}

/** Most bytes of `client_capabilities` and `client_info` together. */
export const client_bytes_max = 64 * 1024;

/** Most resource subscriptions of one session, and the longest uri of one. */
export const subscriptions_max = 1_000;
export const subscription_chars_max = 4_096;

const session_id_bytes = 32;

/** What a session that never subscribed to anything has: one set for all of them. */
const no_subscriptions = new Set<string>();

function tenantOf({ principal }: Pick<Session, "principal">): string {
	return partsOfPrincipal(principal).tenant;
}

interface Entry extends Session {
	used_at_ms: number;
	log_level: string | undefined;
	/** The shared empty set, or one of its own. */
	subscriptions: Set<string>;
	/** The time of use that the store knows. */
	stored_at_ms: number;
	/** Connections that are open now; a session with any is in use. */
	holds: number;
	/** True while a write of the state waits. */
	state_waits: boolean;
	/** Resolves when the store has it; undefined afterwards. */
	creating: Promise<void> | undefined;
}

/**
 * All sessions, in memory, and behind that in the store: after a restart the same ids go on.
 * A session that is unknown, has ended, or belongs to someone else looks the same: undefined.
 */
export class Sessions {
	readonly #clock: Clock;
	readonly #random: Random;
	readonly #writer: StoreWriter;
	readonly #repository: Pick<SessionRepository, "load">;
	readonly #sessions_max: number;
	readonly #idle_ms: number;
	readonly #evict_ms: number;
	readonly #touch_ms: number;
	/** By id, the longest unused first. */
	readonly #entries = new Map<string, Entry>();
	/** How many each tenant has; one that has none is not there. */
	readonly #by_tenant = new Map<string, number>();
	readonly #listeners = new Set<(session: Session) => void>();
	readonly #texts = new Interner();

	constructor(options: SessionsOptions) {
		this.#clock = options.clock;
		this.#random = options.random;
		this.#writer = options.writer;
		this.#repository = options.repository;
		this.#sessions_max = options.sessions_max;
		this.#idle_ms = options.idle_ms ?? 24 * 60 * 60 * 1000;
		this.#evict_ms = options.evict_ms ?? 60 * 60 * 1000;
		this.#touch_ms = options.touch_ms ?? 60 * 1000;
	}

	/** Every session that is open now. */
	all(): IterableIterator<Session> {
		return this.#entries.values();
	}

	/** Sessions that are open now. */
	get count(): number {
		return this.#entries.size;
	}

	/**
	 * Takes over what the store kept, the most recently used ones if there are too many. Called
	 * once, before the first request; rejects when the database cannot be read.
	 */
	async restore(): Promise<void> {
		const stored = await this.#repository.load();
		const excess = stored.length - this.#sessions_max;
		for (const [index, session] of stored.entries()) {
			if (index < excess || this.#isExpired(session.used_at_ms)) this.#remove(session.id);
			else this.#add(this.#revive(session));
		}
	}

	/**
	 * Opens a session. Undefined when there are too many and none is old enough to make room, or
	 * when what the client said of itself is over `client_bytes_max`.
	 * @param is_shared whether tenants share the room: then one gets another session only as long as
	 *   it has fewer than there is room for, so that there is always a place for who has none
	 */
	create(parts: SessionParts, is_shared = false): Session | undefined {
		const { client_capabilities, client_info } = parts;
		const client_bytes = Buffer.byteLength(client_capabilities) + Buffer.byteLength(client_info);
		if (client_bytes > client_bytes_max) return undefined;
		if (!this.#makeRoom(is_shared ? tenantOf(parts) : undefined)) return undefined;
		const now_ms = this.#clock.now();
		const entry: Entry = {
			id: this.#random.bytes(session_id_bytes).toString("base64url"),
			...this.#intern(parts),
			created_at_ms: now_ms,
			used_at_ms: now_ms,
			log_level: undefined,
			subscriptions: no_subscriptions,
			stored_at_ms: now_ms,
			holds: 0,
			state_waits: false,
			creating: undefined,
		};
		this.#add(entry);
		const stored: StoredSession = toStored(entry);
		const bytes = client_bytes + 512;
		entry.creating = this.#writer
			.addDurably((within) => within.sessions.insert(stored), bytes)
			.then(() => {
				entry.creating = undefined;
			});
		return entry;
	}

	/**
	 * Resolves when the store has the session, some milliseconds after `create`; also when the
	 * store refuses it, which the writer reports: the session then lives in memory only.
	 */
	async createdDurably(session: Session): Promise<void> {
		await this.#entries.get(session.id)?.creating;
	}

	/** Whose session it is; undefined where there is none of that id. */
	principalOf(id: string): string | undefined {
		return this.#entries.get(id)?.principal;
	}

	/** The session of that id, if it was opened at that endpoint by that principal. */
	get(id: string, endpoint: string, principal: string): Session | undefined {
		const entry = this.#entries.get(id);
		if (entry === undefined) return undefined;
		if (this.#isIdle(entry)) {
			this.end(id);
			return undefined;
		}
		return entry.endpoint === endpoint && entry.principal === principal ? entry : undefined;
	}

	/** True while a session of that id is open, whoever it belongs to. */
	has(id: string): boolean {
		return this.#entries.has(id);
	}

	/** Ends a session, with all that is stored of it; false when there is none of that id. */
	end(id: string): boolean {
		const entry = this.#entries.get(id);
		if (entry === undefined) return false;
		this.#entries.delete(id);
		this.#remove(id);
		const left = this.heldBy(tenantOf(entry)) - 1;
		if (left > 0) this.#by_tenant.set(tenantOf(entry), left);
		else this.#by_tenant.delete(tenantOf(entry));
		for (const listener of this.#listeners) listener(entry);
		return true;
	}

	/** Notes that a session is used now. */
	touch(id: string): void {
		const entry = this.#entries.get(id);
		if (entry === undefined) return;
		this.#entries.delete(id);
		this.#entries.set(id, entry);
		const now_ms = this.#clock.now();
		entry.used_at_ms = now_ms;
		if (Math.abs(now_ms - entry.stored_at_ms) < this.#touch_ms) return;
		entry.stored_at_ms = now_ms;
		this.#writer.add((within) => within.sessions.touch(id, now_ms));
	}

	/** Keeps a session from ending for want of use until the returned function is called. */
	hold(id: string): () => void {
		const entry = this.#entries.get(id);
		if (entry === undefined) return () => undefined;
		entry.holds += 1;
		let held = true;
		return () => {
			if (!held) return;
			held = false;
			entry.holds -= 1;
			this.touch(id);
		};
	}

	/** Whether a connection of a session is open now. */
	isHeld(id: string): boolean {
		return (this.#entries.get(id)?.holds ?? 0) > 0;
	}

	/** Sets the level the client wants to be told from on. */
	setLogLevel(id: string, level: string | undefined): void {
		const entry = this.#entries.get(id);
		if (entry === undefined || entry.log_level === level) return;
		entry.log_level = level;
		this.#writeState(entry);
	}

	/** Adds a subscription; false when there are too many, or the uri is too long. */
	subscribe(id: string, uri: string): boolean {
		const entry = this.#entries.get(id);
		if (entry === undefined || uri.length > subscription_chars_max) return false;
		if (entry.subscriptions.has(uri)) return true;
		if (entry.subscriptions.size >= subscriptions_max) return false;
		if (entry.subscriptions === no_subscriptions) entry.subscriptions = new Set();
		entry.subscriptions.add(uri);
		this.#writeState(entry);
		return true;
	}

	/** Takes a subscription away; false when there was none. */
	unsubscribe(id: string, uri: string): boolean {
		const entry = this.#entries.get(id);
		if (entry === undefined || !entry.subscriptions.delete(uri)) return false;
		if (entry.subscriptions.size === 0) entry.subscriptions = no_subscriptions;
		this.#writeState(entry);
		return true;
	}

	/** Ends the sessions that have been unused for too long. Called now and then. */
	sweep(): void {
		for (const entry of [...this.#entries.values()]) {
			if (this.#isIdle(entry)) this.end(entry.id);
		}
	}

	/** Tells of every session that ends, whatever ended it, until the returned function is called. */
	onEnd(listener: (session: Session) => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	/** Resolves when everything so far has been written. */
	flush(): Promise<void> {
		return this.#writer.flush();
	}

	/** Sessions that a tenant has open. */
	heldBy(tenant: string): number {
		return this.#by_tenant.get(tenant) ?? 0;
	}

	#add(entry: Entry): void {
		this.#entries.set(entry.id, entry);
		const tenant = tenantOf(entry);
		this.#by_tenant.set(tenant, this.heldBy(tenant) + 1);
	}

	/**
	 * Makes room for one more; false when there is none and no session is old enough to go. Who has
	 * more than a share of the room makes way for itself.
	 * @param tenant whose the session will be; undefined where nobody's room is kept
	 */
	#makeRoom(tenant: string | undefined): boolean {
		const free = this.#sessions_max - this.#entries.size;
		const held = tenant === undefined ? 0 : this.heldBy(tenant);
		if (held < free) return true;
		for (const entry of this.#entries.values()) {
			if (entry.holds > 0 || (held > 0 && tenantOf(entry) !== tenant)) continue;
			if (this.#clock.now() - entry.used_at_ms < this.#evict_ms) return false;
			return this.end(entry.id);
		}
		return false;
	}

	#isIdle(entry: Entry): boolean {
		return entry.holds === 0 && this.#isExpired(entry.used_at_ms);
	}

	#isExpired(used_at_ms: number): boolean {
		return this.#clock.now() - used_at_ms >= this.#idle_ms;
	}

	/** Many clients say the same of themselves; each such text is in memory once. */
	#intern(parts: SessionParts): SessionParts {
		return {
			endpoint: this.#texts.intern(parts.endpoint),
			principal: this.#texts.intern(parts.principal),
			revision: this.#texts.intern(parts.revision),
			client_capabilities: this.#texts.intern(parts.client_capabilities),
			client_info: this.#texts.intern(parts.client_info),
		};
	}

	#revive(stored: StoredSession): Entry {
		const { id, created_at_ms, used_at_ms, log_level, subscriptions } = stored;
		return {
			id,
			...this.#intern(stored),
			created_at_ms,
			used_at_ms,
			log_level,
			subscriptions: subscriptions.length === 0 ? no_subscriptions : new Set(subscriptions),
			stored_at_ms: used_at_ms,
			holds: 0,
			state_waits: false,
			creating: undefined,
		};
	}

	/** Writes the state as it is when the write runs: a burst of changes is one write. */
	#writeState(entry: Entry): void {
		if (entry.state_waits) return;
		entry.state_waits = this.#writer.add((within) => {
			entry.state_waits = false;
			const { log_level, subscriptions } = entry;
			return within.sessions.update(entry.id, { log_level, subscriptions: [...subscriptions] });
		});
	}

	#remove(id: string): void {
		this.#writer.add((within) => within.sessions.remove(id));
	}
}

function toStored(entry: Entry): StoredSession {
	return {
		id: entry.id,
		endpoint: entry.endpoint,
		principal: entry.principal,
		revision: entry.revision,
		client_capabilities: entry.client_capabilities,
		client_info: entry.client_info,
		created_at_ms: entry.created_at_ms,
		used_at_ms: entry.used_at_ms,
		log_level: entry.log_level,
		subscriptions: [...entry.subscriptions],
	};
}
