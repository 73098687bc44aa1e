import type { Kysely } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { fail, type Result, succeed } from "../lib/result.ts";
import * as initial from "./migrations/0001-initial.ts";
import * as versions from "./migrations/0002-versions.ts";
import * as people from "./migrations/0003-people.ts";
import * as alerts from "./migrations/0004-alerts.ts";
import * as approvals from "./migrations/0005-approvals.ts";
import * as secrets from "./migrations/0006-secrets.ts";
import * as grants from "./migrations/0007-grants.ts";
import * as rollouts from "./migrations/0008-rollouts.ts";
import * as approval_results from "./migrations/0009-approval-results.ts";
import * as egress from "./migrations/0010-egress.ts";
import * as locked_packages from "./migrations/0011-locked-packages.ts";
import * as approval_makers from "./migrations/0012-approval-makers.ts";
import * as dashboard_sessions from "./migrations/0013-dashboard-sessions.ts";
import type { StoreProblem } from "./store-problem.ts";

/** Migrations by name. They run in the order of their names and never change once released. */
export type Migrations = Readonly<Record<string, Migration>>;

/** Every migration there is. A new one is added at the end, with the next number. */
export const all_migrations: Migrations = {
	"0001-initial": initial,
	"0002-versions": versions,
	"0003-people": people,
	"0004-alerts": alerts,
	"0005-approvals": approvals,
	"0006-secrets": secrets,
	"0007-grants": grants,
	"0008-rollouts": rollouts,
	"0009-approval-results": approval_results,
	"0010-egress": egress,
	"0011-locked-packages": locked_packages,
	"0012-approval-makers": approval_makers,
	"0013-dashboard-sessions": dashboard_sessions,
};

/** Where kysely keeps which migrations have run. */
const ledger = "kysely_migration";

/**
 * Brings the tables up to the newest migration, in one transaction: all of it or nothing.
 * A database that is someone else's, or that a newer Moorage has changed, is left untouched
 * and reported; an error of the database itself rejects.
 */
export async function migrate(
	db: Kysely<unknown>,
	path: string,
	migrations: Migrations = all_migrations,
): Promise<Result<void, StoreProblem>> {
	return await db.transaction().execute(async (transaction) => {
		const problem = await findProblem(transaction, path, migrations);
		if (problem !== undefined) return fail(problem);
		const migrator = new Migrator({
			db: transaction,
			provider: { getMigrations: async () => ({ ...migrations }) },
		});
		const { error } = await migrator.migrateToLatest();
		// Only a throw rolls the transaction back.
		if (error !== undefined) throw error;
		return succeed(undefined);
	});
}

/**
 * The names of the migrations a database of ours still needs, oldest first. One that is new, of
 * another program, or newer than this version needs none.
 */
export async function missingMigrations(
	db: Kysely<unknown>,
	migrations: Migrations,
): Promise<readonly string[]> {
	const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
	if (!tables.some(({ name }) => name === ledger)) return [];
	const done = new Set(await doneMigrations(db));
	if ([...done].some((name) => !Object.hasOwn(migrations, name))) return [];
	return Object.keys(migrations)
		.filter((name) => !done.has(name))
		.sort();
}

async function doneMigrations(db: Kysely<unknown>): Promise<readonly string[]> {
	const rows = await (db as Kysely<{ [ledger]: { name: string } }>)
		.selectFrom(ledger)
		.select("name")
		.orderBy("name")
		.execute();
	return rows.map((row) => row.name);
}

async function findProblem(
	db: Kysely<unknown>,
	path: string,
	migrations: Migrations,
): Promise<StoreProblem | undefined> {
	const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
	const names = tables.map((table) => table.name);
	if (names.length === 0) return undefined;
	if (!names.includes(ledger)) {
		return {
			code: "foreign",
			message:
				`The database ${path} belongs to another program. ` +
				"Choose another folder with --data, or move the file away.",
			detail: `its tables: ${names.slice(0, 10).join(", ")}`,
		};
	}
	const done = await doneMigrations(db);
	const unknown = done.filter((name) => !Object.hasOwn(migrations, name));
	if (unknown.length === 0) return undefined;
	return {
		code: "newer",
		message:
			`The database ${path} was made by a newer version of Moorage. ` +
			"Use that version or a later one, or put the copy made before the upgrade, in the folder " +
			"before-upgrade beside it, in its place.",
		detail: `unknown migrations: ${unknown.slice(0, 10).join(", ")}`,
	};
}
