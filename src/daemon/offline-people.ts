import type { EndedGrants } from "../admin/contracts/upstream-grants.ts";
import { DashboardSessions } from "../admin/dashboard-sessions.ts";
import type { PeopleBackend } from "../admin/people-backend.ts";
import { Passwords } from "../identity/passwords.ts";
import { People } from "../identity/people.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import { type Result, succeed } from "../lib/result.ts";
import { LoginClients } from "../login/clients.ts";
import { MachineClients } from "../login/machine-clients.ts";
import { Records } from "../login/records.ts";
import { Revocations, taken_back_kind } from "../login/revocations.ts";
import { SecretRedactor } from "../secrets/redactor.ts";
import type { GrantOwner, GrantRepository } from "../store/grant-repository.ts";
import { createRepositories } from "../store/repositories.ts";
import { SealedTokenStore } from "../upstreams/http/oauth/sealed-token-store.ts";
import { sessionStore } from "./dashboard/session-store.ts";
import { openHeldStore } from "./foundation.ts";
import { DaemonPeopleBackend } from "./people-backend.ts";
import type { StartProblem } from "./start-problem.ts";
import { UntoldGrants } from "./untold-grants.ts";

/** People and keys of a data folder on which no gateway runs. */
export interface OfflinePeople {
	readonly backend: PeopleBackend;
	close(): Promise<void>;
}

/**
 * Opens the people of a data folder, as a gateway would; the folder is held meanwhile, so that
 * none starts and reads what is about to change.
 */
export async function openOfflinePeople(
	data: string,
	{ clock, random }: { readonly clock: Clock; readonly random: Random },
): Promise<Result<OfflinePeople, StartProblem>> {
	const opened = await openHeldStore(data, { clock, random });
	if (!opened.ok) return opened;
	const { database, box, close } = opened.value;
	const repositories = createRepositories(database.connection);
	const people = new People({
		repository: repositories.people,
		passwords: new Passwords(random),
		clock,
		random,
		noteKeyUse: () => undefined,
	});
	await people.restore();
	const records = { repository: repositories.login, box, clock, random };
	// No token is checked here. But the next gateway is to know what was taken back meanwhile.
	const revocations = new Revocations(clock, new Records(records, taken_back_kind));
	const clients = new LoginClients(records, new MachineClients(records), revocations);
	const log = { warn: () => undefined };
	const store = new SealedTokenStore({
		...{ repository: repositories.grants, box, clock, log },
		redactor: new SecretRedactor(),
	});
	const sessions = new DashboardSessions({ ...records, store: sessionStore(database) });
	await sessions.restore();
	return succeed({
		backend: new DaemonPeopleBackend(
			people,
			clients,
			() => [],
			(owner) => endGrants(repositories.grants, store, new UntoldGrants(records), owner),
			(principal) => sessions.endAllOf(principal),
		),
		close,
	});
}

/** Issuers are told by the next gateway: what could do that does not run. */
async function endGrants(
	grants: GrantRepository,
	store: SealedTokenStore,
	untold: UntoldGrants,
	owner: GrantOwner,
): Promise<EndedGrants> {
	const theirs = await store.list(({ tenant, user }) => {
		return tenant === owner.tenant && user === owner.user;
	});
	for (const { owner: who, about, grant } of theirs) await untold.add({ who, about, grant });
	// Those that cannot be read, too.
	await grants.removeAll(owner);
	return theirs.map(({ owner: { server }, grant: { issuer } }) => {
		return { server, issuer, outcome: "queued" };
	});
}
