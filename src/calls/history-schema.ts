import type { DatabaseSync } from "node:sqlite";

/**
 * The history has a database of its own, beside the log: it may grow to gigabytes, which neither
 * an upgrade of the store nor a statement of the gateway's main thread should have to wait for.
 * Names and other words that repeat stand in it once; a call is a row of small numbers. Columns
 * of words are integers although a rare word stands in them as text: without the affinity, a
 * number takes eight bytes.
 */
const versions: readonly string[] = [
	`
	create table words (id integer primary key, word text not null unique);
	create table calls (
		seq integer primary key,
		id blob not null,
		at_ms integer not null,
		status integer not null,
		tenant integer, user integer, client integer, client_name integer,
		client_version integer, session blob, endpoint integer,
		server integer, version integer, instance integer, method integer, name integer,
		code integer, error_id blob, decision integer, rule integer, approval_id blob,
		risk integer, duration_us integer, queue_us integer, wake_us integer,
		upstream_us integer, policy_us integer, approval_us integer,
		input_bytes integer, output_bytes integer, input_hash blob, request_id text,
		trace blob, span blob, parent blob,
		client_revision integer, client_era integer,
		upstream_revision integer, upstream_era integer
	);
	create index calls_by_id on calls (id);
	create index calls_by_tenant on calls (tenant);
	create index calls_by_user on calls (user);
	create index calls_by_server on calls (server);
	create index calls_by_name on calls (name);
	create index calls_by_trace on calls (trace);
	create index calls_by_session on calls (session) where session is not null;
	create index failed_calls on calls (status) where status > 0;
	create index failed_calls_by_server on calls (server, status) where status > 0;
	create index failed_calls_by_user on calls (user, status) where status > 0;
	create index failed_calls_by_name on calls (name, status) where status > 0;
	create table errors (seq integer primary key, error text not null);
	create virtual table error_words using fts5(
		error, code, tool, content = '', contentless_delete = 1, detail = none
	);
	create table jumps (seq integer primary key);
	`,
	// How many requests a row stands for, where it is more than itself.
	"alter table calls add column requests integer;",
	// A call whose trace began here has none of its own: it is named like the call, and found by it.
	`
	drop index calls_by_trace;
	create index calls_by_trace on calls (trace) where trace is not null;
	`,
	// Who really made a call, where that was somebody else in the caller's name.
	"alter table calls add column made_by integer;",
	// Stands for the indexes of words, which go once it has every call (`old_indexes`).
	`
	create table postings (
		stretch integer not null,
		posted integer not null,
		word not null,
		calls blob not null,
		primary key (stretch, posted, word)
	) without rowid;
	`,
	// The same of eight stretches, in their place once all are full.
	`
	create table span_postings (
		span integer not null,
		posted integer not null,
		word not null,
		calls blob not null,
		primary key (span, posted, word)
	) without rowid;
	`,
	"alter table calls add column audit_us integer;",
];

/** What `postings` stand for. They were two thirds of the time that a call takes to be written. */
const old_indexes: readonly string[] = [
	...["calls_by_tenant", "calls_by_user", "calls_by_server", "calls_by_name", "calls_by_session"],
	...["failed_calls", "failed_calls_by_server", "failed_calls_by_user", "failed_calls_by_name"],
	"calls_by_id",
];

/** Drops one of the old indexes, as each takes its time; false where none is left. */
export function dropOldIndex(db: DatabaseSync): boolean {
	const is_there = db.prepare("select 1 from sqlite_schema where type = 'index' and name = ?");
	const found = old_indexes.find((name) => is_there.get(name) !== undefined);
	if (found === undefined) return false;
	db.exec(`drop index ${found}`);
	return true;
}

/** Makes the tables, or brings them up to this version; throws where they are of a newer one. */
export function prepareHistory(db: DatabaseSync): void {
	db.exec("pragma journal_mode = wal");
	db.exec("pragma synchronous = normal");
	db.exec("pragma journal_size_limit = 67108864");
	db.exec("pragma cache_size = -16384");
	const version = Number(db.prepare("pragma user_version").get()?.["user_version"]);
	if (version > versions.length) throw new Error("the history was made by a newer version");
	// An index of many millions of rows is sorted on the disk: memory may not hold it.
	db.exec("pragma temp_store = file");
	for (const [index, statements] of versions.entries()) {
		if (index < version) continue;
		db.exec("begin immediate");
		try {
			db.exec(statements);
			db.exec(`pragma user_version = ${index + 1}`);
			db.exec("commit");
		} catch (error) {
			db.exec("rollback");
			throw error;
		}
	}
	db.exec("pragma temp_store = memory");
}
