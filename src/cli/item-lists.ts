import type { ItemKind } from "../admin/contract.ts";
import type { CatalogItem } from "../catalog/server-catalog.ts";
import type { AdminClient } from "./client.ts";
import type { CommandContext } from "./context.ts";
import { dataFolder } from "./data-folder.ts";
import { exit_codes } from "./exit-codes.ts";
import { CommandFailure } from "./failure.ts";
import { noGateway, openClient } from "./gateway.ts";

/** What one server offers of one kind. */
export interface ServerItems {
	readonly server: string;
	/** The API's own answer: raw JSON. */
	readonly text: string;
	/** Tools, resources or prompts as values; nothing in them is trusted to have a shape. */
	readonly items: readonly unknown[];
	readonly templates: readonly unknown[];
}

/** What servers offer, and which of them could not be asked. */
export interface ItemLists {
	readonly running: boolean;
	readonly lists: readonly ServerItems[];
	readonly absent: readonly { readonly server: string; readonly message: string }[];
}

const operations = {
	tools: "listTools",
	resources: "listResources",
	prompts: "listPrompts",
} as const satisfies Record<ItemKind, string>;

/** Reads what one server or every server offers: from the gateway, else from the store. */
export async function readItemLists(
	kind: ItemKind,
	server: string | undefined,
	data_option: string | undefined,
	context: CommandContext,
): Promise<ItemLists> {
	const data = await dataFolder(context, data_option);
	const client = await openClient(data, context);
	if (client === undefined) return readStored(kind, server, data);
	try {
		if (server !== undefined) {
			return { running: true, lists: [await askServer(kind, server, client)], absent: [] };
		}
		return await askAll(kind, client);
	} finally {
		await client.close();
	}
}

async function askAll(kind: ItemKind, client: AdminClient): Promise<ItemLists> {
	const { value } = await client.request("listServers");
	const lists: ServerItems[] = [];
	const absent: { server: string; message: string }[] = [];
	await Promise.all(
		value.servers.map(async ({ name }) => {
			try {
				lists.push(await askServer(kind, name, client));
			} catch (error) {
				// One server's failure is that server's absence, never a failed list.
				if (!(error instanceof CommandFailure)) throw error;
				absent.push({ server: name, message: error.message });
			}
		}),
	);
	const order = value.servers.map(({ name }) => name);
	const byOrder = (one: { server: string }, other: { server: string }) =>
		order.indexOf(one.server) - order.indexOf(other.server);
	return { running: true, lists: lists.toSorted(byOrder), absent: absent.toSorted(byOrder) };
}

async function askServer(
	kind: ItemKind,
	server: string,
	client: AdminClient,
): Promise<ServerItems> {
	const { text, value } = await client.request(operations[kind], { path: { name: server } });
	const lists: Readonly<Record<string, unknown>> = value;
	const list = (name: string) => (lists[name] ?? []) as readonly unknown[];
	return { server, text, items: list(kind), templates: list("templates") };
}

async function readStored(
	kind: ItemKind,
	server: string | undefined,
	data: string,
): Promise<ItemLists> {
	// The database is loaded only where it is read: the usual case starts faster.
	const { storedCatalogs } = await import("./stored.ts");
	const catalogs = await storedCatalogs(data);
	if (catalogs.length === 0) throw noGateway(data);
	const wanted = catalogs.filter((catalog) => server === undefined || catalog.server === server);
	if (wanted.length === 0) {
		throw new CommandFailure({
			exit_code: exit_codes.no_gateway,
			code: "server_unknown",
			message: `No gateway runs, and nothing is stored of a server named "${server}".`,
			next: "Start the gateway: moorage up",
		});
	}
	const lists = wanted.map((catalog) => {
		const items = catalog[kind];
		const templates = kind === "resources" ? catalog.templates : [];
		const head = `"server":${JSON.stringify(catalog.server)},"fetched_at_ms":${catalog.fetched_at_ms}`;
		const tail = kind === "resources" ? `,"templates":${rawList(templates)}` : "";
		return {
			server: catalog.server,
			text: `{${head},"${kind}":${rawList(items)}${tail}}`,
			items: items.map(valueOf),
			templates: templates.map(valueOf),
		};
	});
	return { running: false, lists, absent: [] };
}

function rawList(items: readonly CatalogItem[]): string {
	return `[${items.map(({ bytes }) => bytes.toString("utf8")).join(",")}]`;
}

function valueOf(item: CatalogItem): unknown {
	return JSON.parse(item.bytes.toString("utf8"));
}
