import type { ColumnType, Kysely } from "kysely";
import type { AlertTables } from "./alert-tables.ts";
import type { EgressTables } from "./egress-tables.ts";
import type { GrantTables } from "./grant-tables.ts";

/**
 * The shape of the database, table by table, as the newest migration leaves it.
 */
export interface Tables extends AlertTables, GrantTables, EgressTables {
	meta: MetaTable;
	catalogs: CatalogTable;
	sessions: SessionTable;
	session_streams: SessionStreamTable;
	session_events: SessionEventTable;
	versions: VersionTable;
	version_pins: VersionPinTable;
	forks: ForkTable;
	rollouts: RolloutTable;
	users: UserTable;
	api_keys: ApiKeyTable;
	login_records: LoginRecordTable;
	kill_switches: KillSwitchTable;
	approvals: ApprovalTable;
	approval_results: ApprovalResultTable;
	dashboard_sessions: DashboardSessionTable;
	secret_keys: SecretKeyTable;
	secrets: SecretTable;
}

/** A 64-bit whole number; PostgreSQL hands these out as text, so reads go through `Number()`. */
export type Long = ColumnType<number | string, number, number>;

/** The same where there may be none. */
export type MaybeLong = ColumnType<number | string | null, number | null, number | null>;

/** A connection or a transaction: repositories work on either. */
export type Connection = Kysely<Tables>;

/** Single values the gateway keeps about itself. */
export interface MetaTable {
	key: string;
	value: string;
}

/** What a server offered when it was last asked; one row per server. */
export interface CatalogTable {
	server: string;
	fingerprint: string;
	fetched_at_ms: Long;
	hash: string;
	body: string;
}

/** A client session of the legacy era. */
export interface SessionTable {
	id: string;
	endpoint: string;
	principal: string;
	revision: string;
	client_capabilities: string;
	client_info: string;
	created_at_ms: Long;
	used_at_ms: Long;
	log_level: string | null;
	/** A JSON array of resource uris. */
	subscriptions: string;
}

/** One event stream of a session: a call's, or the one for everything that belongs to no call. */
export interface SessionStreamTable {
	session_id: string;
	stream: string;
	/** Which run of the gateway opened it. */
	run: Long;
	about: string;
	opened_at_ms: Long;
	ended_at_ms: MaybeLong;
	/** The highest number among this stream's events that were thrown away; 0 for none. */
	dropped_seq: Long;
}

/** One event, kept until its session ends, it is too old, or newer ones need the room. */
export interface SessionEventTable {
	session_id: string;
	/** Grows within the session, across its streams. */
	seq: Long;
	stream: string;
	at_ms: Long;
	/** Length of the payload, so that sums need not read it. */
	bytes: number;
	payload: Uint8Array;
}

/** One immutable way of running a server. */
export interface VersionTable {
	server: string;
	number: number;
	fingerprint: string;
	created_at_ms: Long;
	source: string;
	state: string;
	reason: string | null;
	/** A JSON object. */
	identity: string | null;
	/** A JSON array of sentences. */
	changes: string;
	/** Sealed JSON. */
	plan: string;
	/** A JSON object. */
	locked: string | null;
}

/** A server that is held at a version. */
export interface VersionPinTable {
	server: string;
	number: number;
	config_fingerprint: string;
}

/** A copy of a server. */
export interface ForkTable {
	name: string;
	server: string;
	created_at_ms: Long;
	plan: string;
}

/** A new version of a server on its way into the place of the old. */
export interface RolloutTable {
	server: string;
	number: number;
	/** 1 where it waits to be let on; 0 where it does not. */
	hold: number;
	percent: number;
	watch_left_ms: Long;
	new_calls: Long;
	new_failed: Long;
	old_calls: Long;
	old_failed: Long;
}

/** A person who may log in or hold keys. */
export interface UserTable {
	tenant: string;
	user: string;
	display_name: string | null;
	/** A JSON array. */
	roles: string;
	/** Argon2id in PHC form; null for whoever has no password here. */
	password_hash: string | null;
	/** The identity provider they come from, and what it calls them. */
	provider: string | null;
	subject: string | null;
	created_at_ms: Long;
	login_at_ms: MaybeLong;
}

/** An API key: its hash, never the key. */
export interface ApiKeyTable {
	name: string;
	/** SHA-256 in hex. */
	hash: string;
	tenant: string;
	user: string;
	/** A JSON array; null: those of its holder. */
	roles: string | null;
	/** A JSON array; null: not limited by scopes. */
	scopes: string | null;
	created_at_ms: Long;
	expires_at_ms: MaybeLong;
	used_at_ms: MaybeLong;
}

/** One thing the authorization server keeps: a client, a grant, a token, a session, ... */
export interface LoginRecordTable {
	kind: string;
	/** SHA-256 of what whoever holds it shows, in hex. */
	id: string;
	/** Sealed JSON. */
	body: string;
	/** The grant it came from; of a session, its public id. Hashed like `id`. */
	grant_id: string | null;
	uid: string | null;
	/** `tenant/user`. */
	account: string | null;
	client: string | null;
	created_at_ms: Long;
	expires_at_ms: MaybeLong;
	consumed_at_ms: MaybeLong;
}

/** An off switch that is on. */
export interface KillSwitchTable {
	id: string;
	kind: string;
	name: string | null;
	reason: string;
	set_by: string;
	set_at_ms: Long;
	ends_at_ms: MaybeLong;
}

/** A call that a person has to decide about. */
export interface ApprovalTable {
	id: string;
	revision: number;
	state: string;
	principal: string;
	/** Empty where it is the caller. */
	made_by: string;
	server: string;
	tool: string;
	arguments_hash: string;
	created_at_ms: Long;
	expires_at_ms: Long;
	ended_at_ms: MaybeLong;
	/** Sealed JSON. */
	body: string;
}

/** What a call with an approval came to; one row per approval. */
export interface ApprovalResultTable {
	id: string;
	kept_until_ms: Long;
	/** Sealed JSON. */
	body: string;
}

/** A browser in which somebody is signed in. */
export interface DashboardSessionTable {
	id: string;
	/** SHA-256 of its token. */
	hash: string;
	principal: string;
	created_at_ms: Long;
	expires_at_ms: Long;
	/** What it stands for, sealed. */
	sealed: string;
}

/** A key that values of the vault are sealed with. */
export interface SecretKeyTable {
	id: string;
	master_id: string;
	sealed: string;
	created_at_ms: Long;
}

/** A value of the vault; empty texts stand for every tenant, and for everybody in one. */
export interface SecretTable {
	tenant: string;
	user_name: string;
	name: string;
	key_id: string;
	sealed: string;
	created_at_ms: Long;
	changed_at_ms: Long;
	used_at_ms: MaybeLong;
	used_by: string | null;
}
