import { saidTools } from "../../catalog/said-tools.ts";
import { fromStored } from "../../catalog/stored-body.ts";
import { SqlCatalogRepository } from "../../store/catalog-repository.ts";
import type { Connection } from "../../store/tables.ts";

/** What servers said of their tools when they were last asked, by server. */
export async function storedTools(connection: Connection) {
	const stored = await new SqlCatalogRepository(connection).load();
	const catalogs = stored.flatMap((one) => fromStored(one) ?? []);
	return new Map(catalogs.map(({ server, tools }) => [server, saidTools(tools)] as const));
}
