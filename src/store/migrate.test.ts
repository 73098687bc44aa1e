import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { Kysely } from "kysely";
import { all_migrations, type Migrations, migrate } from "./migrate.ts";
import { NodeSqliteDialect } from "./sqlite-dialect.ts";

const names = Object.keys(all_migrations);

/** Rows as each version wrote them, and what the newest version must make of them. */
const samples: Readonly<Record<string, { readonly write: string; readonly read: string }>> = {
	"0001-initial": {
		write: `
			insert into meta values ('gateway_owner', 'o');
			insert into catalogs values ('time', 'f', 5, 'h', '{}');
			insert into sessions values ('s', 'time', 'local', '2025-11-25', '{}', '{}', 1, 2, null, '[]');
			insert into session_streams values ('s', 'a', 1, '"7"', 3, null, 0);
			insert into session_events values ('s', 1, 'a', 4, 2, x'6869');`,
		read: `
			select 1 from meta, catalogs, sessions, session_streams, session_events
			where meta.value = 'o' and catalogs.body = '{}' and sessions.used_at_ms = 2
			and session_streams.about = '"7"' and session_events.payload = x'6869'`,
	},
	"0002-versions": {
		write: `
			insert into versions values
				('time', 1, 'f', 5, 'config', 'active', null, null, '["a"]', 'sealed');
			insert into version_pins values ('time', 1, 'f');
			insert into forks values ('time-fork', 'time', 6, 'sealed');`,
		read: `
			select 1 from versions, version_pins, forks
			where versions.changes = '["a"]' and version_pins.number = 1
			and forks.server = 'time'`,
	},
	"0003-people": {
		write: `
			insert into users values
				('acme', 'ana', 'Ana', '["admin"]', '$argon2id$', null, null, 5, null);
			insert into api_keys values ('ci', 'h', 'acme', 'ana', null, '["a"]', 5, 9, null);
			insert into login_records values
				('Grant', 'i', 'sealed', null, null, 'acme/ana', 'c', 5, 9, null);`,
		read: `
			select 1 from users, api_keys, login_records
			where users.roles = '["admin"]' and api_keys.scopes = '["a"]'
			and login_records.account = 'acme/ana'`,
	},
	"0004-alerts": {
		write: `
			insert into call_aggregates values ('minute', 'tool', 60000, 'time/now', 5, 1, '3:5', 'n');
			insert into alerts values ('a', 'unknown_tool', 'mcp', 'firing', 7, '{}');
			insert into alert_silences values ('s', '*', 'mcp', 9, 'why', 'local', 8);
			insert into alert_deliveries values ('d', 'a', 'slack:1', '{}', 0, 7, 'waiting', null);`,
		read: `
			select 1 from call_aggregates, alerts, alert_silences, alert_deliveries
			where call_aggregates.latencies = '3:5' and alerts.since_ms = 7
			and alert_silences.until_ms = 9 and alert_deliveries.problem is null`,
	},
	"0005-approvals": {
		write: `
			insert into kill_switches values ('server:a', 'server', 'a', 'why', 'admin', 5, null);
			insert into approvals values
				('i', 1, 'pending', 'acme/ana', 'files', 'delete', 'h', 5, 6, null, 'sealed');`,
		read: `
			select 1 from kill_switches, approvals
			where kill_switches.reason = 'why' and approvals.body = 'sealed'`,
	},
	"0006-secrets": {
		write: `
			insert into secret_keys values ('k', 'm', 'sealed', 5);
			insert into secrets values ('acme', 'bob', 'token', 'k', 'sealed', 6, 7, null, null);`,
		read: `
			select 1 from secret_keys, secrets
			where secret_keys.master_id = 'm' and secrets.user_name = 'bob'
			and secrets.changed_at_ms = 7 and secrets.used_at_ms is null`,
	},
	"0007-grants": {
		write: `
			insert into upstream_grants values ('acme', 'bob', 'notes', 'https://i', 'sealed', 5, 6);
			insert into upstream_clients values ('', 'https://i', 'sealed', 4);`,
		read: `
			select 1 from upstream_grants, upstream_clients
			where upstream_grants.user_name = 'bob' and upstream_grants.changed_at_ms = 6
			and upstream_clients.created_at_ms = 4`,
	},
	"0010-egress": {
		write: `
			insert into egress_hosts values ('files', 'used', 'a.example', 443, 3, 5, 6);
			insert into egress_forgotten values ('files', 'refused', 7);`,
		read: `
			select 1 from egress_hosts, egress_forgotten
			where egress_hosts.host = 'a.example' and egress_hosts.last_at_ms = 6
			and egress_forgotten.count = 7`,
	},
	"0008-rollouts": {
		write: "insert into rollouts values ('files', 2, 0, 0.5, 1000, 10, 1, 90, 2);",
		read: `
			select 1 from rollouts
			where server = 'files' and percent = 0.5 and watch_left_ms = 1000 and old_failed = 2`,
	},
	"0011-locked-packages": {
		write: `
			insert into versions
				(server, number, fingerprint, created_at_ms, source, state, changes, plan, locked)
				values ('files', 9, 'f', 5, 'deploy', 'active', '[]', 'sealed', '{}');`,
		read: "select 1 from versions where number = 9 and locked = '{}'",
	},
	"0012-approval-makers": {
		write: `
			insert into approvals
				(id, revision, state, principal, made_by, server, tool, arguments_hash, created_at_ms,
				expires_at_ms, body)
				values ('m', 1, 'pending', 'acme/ana', 'admin', 'files', 'delete', 'h', 5, 6, 'sealed');`,
		read: "select 1 from approvals where id = 'm' and made_by = 'admin'",
	},
	"0013-dashboard-sessions": {
		write: "insert into dashboard_sessions values ('i', 'h', 'acme/ana', 5, 6, 'sealed');",
		read: "select 1 from dashboard_sessions where hash = 'h' and expires_at_ms = 6",
	},
	"0009-approval-results": {
		write: "insert into approval_results values ('i', 5, 'sealed');",
		read: "select 1 from approval_results where kept_until_ms = 5 and body = 'sealed'",
	},
};

function upTo(count: number): Migrations {
	return Object.fromEntries(Object.entries(all_migrations).slice(0, count));
}

function setUp() {
	const raw = new DatabaseSync(":memory:");
	const db = new Kysely<unknown>({ dialect: new NodeSqliteDialect(raw) });
	const schema = () =>
		raw
			.prepare("select type, name, sql from sqlite_schema order by type, name")
			.all()
			.map((row) => ({ ...row }));
	return { raw, db, schema };
}

describe("the migrations", () => {
	it("are named in the order they run, one file each", async () => {
		assert.deepEqual(names, names.toSorted());
		names.forEach((name, index) => {
			assert.match(name, new RegExp(`^${String(index + 1).padStart(4, "0")}-[a-z0-9-]+$`));
		});
		const files = await readdir(new URL("migrations/", import.meta.url));
		assert.deepEqual(
			files.toSorted(),
			names.map((name) => `${name}.ts`),
		);
	});

	it("build the tables on an empty database and change nothing the second time", async () => {
		const { db, schema } = setUp();
		assert.ok((await migrate(db, "x")).ok);
		const built = schema();
		assert.ok(built.some((row) => row["name"] === "session_events"));
		assert.ok((await migrate(db, "x")).ok);
		assert.deepEqual(schema(), built);
		await db.destroy();
	});

	for (const [index, name] of names.entries()) {
		it(`lead from version ${name} to the same tables as from empty, and keep the rows`, async () => {
			const fresh = setUp();
			await migrate(fresh.db, "x");
			const old = setUp();
			await migrate(old.db, "x", upTo(index + 1));
			const sample = samples[name];
			assert.ok(sample !== undefined, `a sample of version ${name}`);
			old.raw.exec(sample.write);
			assert.ok((await migrate(old.db, "x")).ok);
			assert.deepEqual(old.schema(), fresh.schema());
			assert.equal(old.raw.prepare(sample.read).all().length, 1);
			await Promise.all([fresh.db.destroy(), old.db.destroy()]);
		});
	}

	it("are applied all or not at all", async () => {
		const { db, schema } = setUp();
		const broken: Migrations = {
			...all_migrations,
			"9999-broken": {
				async up(within: Kysely<unknown>) {
					await within.schema.createTable("half").addColumn("id", "integer").execute();
					throw new Error("stop here");
				},
			},
		};
		await assert.rejects(migrate(db, "x", broken), /stop here/);
		assert.deepEqual(schema(), []);
		await db.destroy();
	});

	it("refuse a database in which an unknown migration has run", async () => {
		const { db } = setUp();
		await migrate(db, "x", { ...all_migrations, "9999-later": { up: async () => {} } });
		const refused = await migrate(db, "/data/moorage.db");
		assert.ok(!refused.ok);
		assert.equal(refused.problem.code, "newer");
		assert.match(refused.problem.message, /\/data\/moorage\.db/);
		await db.destroy();
	});
});
