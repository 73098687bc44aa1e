import type { Clock } from "../lib/clock.ts";
import type { SecretRows } from "../secrets/vault-rows.ts";
import { type AlertRepository, SqlAlertRepository } from "./alert-repository.ts";
import { type ApprovalRepository, SqlApprovalRepository } from "./approval-repository.ts";
import { Batcher, type BatchTrouble } from "./batch.ts";
import { type CatalogRepository, SqlCatalogRepository } from "./catalog-repository.ts";
import {
	type DashboardSessionRepository,
	SqlDashboardSessionRepository,
} from "./dashboard-session-repository.ts";
import type { Database } from "./database.ts";
import { type EgressRepository, SqlEgressRepository } from "./egress-repository.ts";
import { type EventRepository, SqlEventRepository } from "./event-repository.ts";
import { type GrantRepository, SqlGrantRepository } from "./grant-repository.ts";
import { type KillSwitchRepository, SqlKillSwitchRepository } from "./kill-switch-repository.ts";
import { type LoginRepository, SqlLoginRepository } from "./login-repository.ts";
import { type MetaRepository, SqlMetaRepository } from "./meta-repository.ts";
import { type PeopleRepository, SqlPeopleRepository } from "./people-repository.ts";
import { SqlSecretRepository } from "./secret-repository.ts";
import { type SessionRepository, SqlSessionRepository } from "./session-repository.ts";
import { isPassing } from "./store-problem.ts";
import type { Connection } from "./tables.ts";
import { SqlVersionRepository, type VersionRepository } from "./version-repository.ts";

/** Every repository, on one connection or within one transaction. */
export interface Repositories {
	readonly alerts: AlertRepository;
	readonly catalogs: CatalogRepository;
	readonly dashboard_sessions: DashboardSessionRepository;
	readonly egress: EgressRepository;
	readonly events: EventRepository;
	readonly grants: GrantRepository;
	readonly login: LoginRepository;
	readonly meta: MetaRepository;
	readonly people: PeopleRepository;
	readonly secrets: SecretRows;
	readonly sessions: SessionRepository;
	readonly versions: VersionRepository;
	readonly kill_switches: KillSwitchRepository;
	readonly approvals: ApprovalRepository;
}

/** A write for later. It runs within a transaction, together with its neighbours. */
export type StoreWrite = (repositories: Repositories) => Promise<void>;

/** Where writes go that nobody waits for: see `Batcher`. */
export type StoreWriter = Pick<Batcher<StoreWrite>, "add" | "addDurably" | "flush">;

/** The repositories on a connection or a transaction. */
export function createRepositories(connection: Connection): Repositories {
	return {
		alerts: new SqlAlertRepository(connection),
		catalogs: new SqlCatalogRepository(connection),
		dashboard_sessions: new SqlDashboardSessionRepository(connection),
		egress: new SqlEgressRepository(connection),
		events: new SqlEventRepository(connection),
		grants: new SqlGrantRepository(connection),
		login: new SqlLoginRepository(connection),
		meta: new SqlMetaRepository(connection),
		people: new SqlPeopleRepository(connection),
		secrets: new SqlSecretRepository(connection),
		sessions: new SqlSessionRepository(connection),
		versions: new SqlVersionRepository(connection),
		kill_switches: new SqlKillSwitchRepository(connection),
		approvals: new SqlApprovalRepository(connection),
	};
}

/** What the write-behind queue needs. */
export interface WriterOptions {
	readonly database: Database;
	readonly clock: Clock;
	/** Called when writes are late or lost, with what to put in the log. */
	readonly onTrouble: (trouble: BatchTrouble) => void;
}

/**
 * The write-behind queue of a database: writes run in the order they were added, many in one
 * transaction, some milliseconds later.
 */
export function createWriter(options: WriterOptions): Batcher<StoreWrite> {
	const { database, clock, onTrouble } = options;
	return new Batcher<StoreWrite>({
		clock,
		isPassing,
		onTrouble,
		commit: (writes) =>
			database.transaction(async (connection) => {
				const repositories = createRepositories(connection);
				for (const write of writes) await write(repositories);
			}),
	});
}
