import { createHash } from "node:crypto";
import type { Clock } from "../lib/clock.ts";
import type { SecretBox } from "../secrets/box.ts";
import type { LoginRepository, StoredLoginRecord } from "../store/login-repository.ts";

/** Where the authorization server keeps what it keeps, and what it is sealed with. */
export interface RecordOptions {
	readonly repository: LoginRepository;
	readonly box: SecretBox;
	readonly clock: Clock;
}

/** What a record is found and removed by, beside its id. */
export interface RecordFacts {
	readonly grant_id?: string | undefined;
	readonly uid?: string | undefined;
	readonly account?: string | undefined;
	readonly client?: string | undefined;
	/** Seconds from now; undefined: for good. */
	readonly ttl_s?: number | undefined;
}

/** A record with its body opened. */
export interface LoginRecord<Body> {
	readonly id: string;
	readonly body: Body;
	readonly account: string | undefined;
	readonly client: string | undefined;
	readonly created_at_ms: number;
	readonly expires_at_ms: number | undefined;
	readonly consumed_at_ms: number | undefined;
}

/**
 * What is kept of an id: codes, refresh tokens and session cookies are their own ids, so that the
 * database alone must not tell them.
 */
export function hashId(id: string): string {
	return createHash("sha256").update(id).digest("hex");
}

/** Records of one kind, sealed: `Client`, `Grant`, `RefreshToken`, ... */
export class Records<Body> {
	readonly #options: RecordOptions;
	readonly #kind: string;

	constructor(options: RecordOptions, kind: string) {
		this.#options = options;
		this.#kind = kind;
	}

	async find(id: string): Promise<LoginRecord<Body> | undefined> {
		return this.#open(await this.#options.repository.find(this.#kind, hashId(id)));
	}

	async findByUid(uid: string): Promise<LoginRecord<Body> | undefined> {
		return this.#open(await this.#options.repository.findByUid(this.#kind, hashId(uid)));
	}

	/** The newest first. */
	async list(count_max: number): Promise<LoginRecord<Body>[]> {
		const stored = await this.#options.repository.list(this.#kind, count_max);
		return stored.flatMap((record) => this.#open(record) ?? []);
	}

	count(): Promise<number> {
		return this.#options.repository.count(this.#kind);
	}

	/**
	 * Whether one of that id can be kept where there may be `count_max`: it is there already, or
	 * there is room once what is over has been removed.
	 */
	async hasRoom(id: string, count_max: number): Promise<boolean> {
		if ((await this.count()) < count_max) return true;
		if ((await this.find(id)) !== undefined) return true;
		await this.#options.repository.sweep(this.#options.clock.now());
		return (await this.count()) < count_max;
	}

	async save(id: string, body: Body, facts: RecordFacts = {}): Promise<void> {
		await this.#options.repository.save(this.#record(id, body, facts));
	}

	/** Keeps a record unless there is one of that id; false when there is. */
	add(id: string, body: Body, facts: RecordFacts = {}): Promise<boolean> {
		return this.#options.repository.add(this.#record(id, body, facts));
	}

	/** Marks a record as used up; false when it was already, or is not there. */
	consume(id: string): Promise<boolean> {
		const { repository, clock } = this.#options;
		return repository.consume(this.#kind, hashId(id), clock.now());
	}

	async remove(id: string): Promise<void> {
		await this.#options.repository.remove(this.#kind, hashId(id));
	}

	#record(id: string, body: Body, facts: RecordFacts): StoredLoginRecord {
		const { grant_id, uid, account, client, ttl_s } = facts;
		const hash = hashId(id);
		const now_ms = this.#options.clock.now();
		return {
			kind: this.#kind,
			id: hash,
			body: this.#options.box.seal(JSON.stringify(body), this.#about(hash)),
			grant_id: grant_id === undefined ? undefined : hashId(grant_id),
			uid: uid === undefined ? undefined : hashId(uid),
			account,
			client,
			created_at_ms: now_ms,
			expires_at_ms: ttl_s === undefined ? undefined : now_ms + ttl_s * 1000,
			consumed_at_ms: undefined,
		};
	}

	#open(record: StoredLoginRecord | undefined): LoginRecord<Body> | undefined {
		if (record === undefined) return undefined;
		const { id, account, client, created_at_ms, expires_at_ms, consumed_at_ms } = record;
		if (expires_at_ms !== undefined && expires_at_ms <= this.#options.clock.now()) return undefined;
		const text = this.#options.box.open(record.body, this.#about(id));
		// Sealed with another key: as if it were not there.
		if (text === undefined) return undefined;
		const body = JSON.parse(text) as Body;
		return { id, body, account, client, created_at_ms, expires_at_ms, consumed_at_ms };
	}

	#about(hash: string): string {
		return `login:${this.#kind}:${hash}`;
	}
}
