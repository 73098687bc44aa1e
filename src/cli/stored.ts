import type { ServerCatalog } from "../catalog/server-catalog.ts";
import { fromStored } from "../catalog/stored-body.ts";
import { SqlCatalogRepository } from "../store/catalog-repository.ts";
import { openDatabase } from "../store/database.ts";
import { databasePath, hasDatabase } from "./data-folder.ts";
import { exit_codes } from "./exit-codes.ts";
import { CommandFailure } from "./failure.ts";

/**
 * What the servers of a state folder offered when they were last asked, for commands that work
 * while no gateway runs. Only reads: a folder without a database is left without one.
 */
export async function storedCatalogs(data: string): Promise<readonly ServerCatalog[]> {
	if (!(await hasDatabase(data))) return [];
	const opened = await openDatabase({ path: databasePath(data) });
	if (!opened.ok) {
		throw new CommandFailure({
			exit_code: exit_codes.failed,
			code: `store_${opened.problem.code}`,
			message: opened.problem.message,
		});
	}
	const database = opened.value;
	try {
		const stored = await new SqlCatalogRepository(database.connection).load();
		return stored.flatMap((one) => fromStored(one) ?? []);
	} finally {
		await database.close();
	}
}
