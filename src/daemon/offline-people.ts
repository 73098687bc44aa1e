import type { PeopleBackend } from "../admin/people-backend.ts";
import { acquireDataLock } from "../hosting/process/data-lock.ts";
import { Passwords } from "../identity/passwords.ts";
import { People } from "../identity/people.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { LoginClients } from "../login/clients.ts";
import { MachineClients } from "../login/machine-clients.ts";
import { createRepositories } from "../store/repositories.ts";
import { openStore } from "./foundation.ts";
import { DaemonPeopleBackend } from "./people-backend.ts";
import { product } from "./product.ts";
import type { StartProblem } from "./start-problem.ts";

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
	const info = { version: product.version, started_at_ms: clock.now() };
	const lock = await acquireDataLock(data, info, clock);
	if (!lock.ok) return fail({ message: lock.problem.message, next: "" });
	const opened = await openStore(data, { clock, random });
	if (!opened.ok) {
		await lock.value.release();
		return opened;
	}
	const { database, box } = opened.value;
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
	const clients = new LoginClients(records, new MachineClients(records));
	return succeed({
		backend: new DaemonPeopleBackend(
			people,
			clients,
			() => [],
			(owner) => repositories.grants.removeAll(owner),
		),
		async close() {
			await database.close();
			await lock.value.release();
		},
	});
}
