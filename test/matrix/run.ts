import {
	type Cell,
	type ClientKind,
	client_kinds,
	type Feature,
	type ServerKind,
	server_eras,
	server_kinds,
	type Trial,
} from "./cell.ts";
import { type Connect, connections } from "./clients.ts";
import { gateway_restart, server_restart } from "./features/restarts.ts";
import { features } from "./features.ts";
import { GatewayProcess } from "./gateway-process.ts";
import type { Peer } from "./peer.ts";
import { endpointOf, startServers } from "./servers.ts";

const connect_ms = 20_000;
const feature_ms = 10_000;
const restart_ms = 30_000;

/** One way of one client to one server. */
interface Pair {
	readonly client: ClientKind;
	readonly server: ServerKind;
	readonly connect: Connect;
	readonly key: string;
}

/** What is played; empty lists mean everything. */
export interface Selection {
	readonly features: readonly string[];
	readonly clients: readonly string[];
	readonly servers: readonly string[];
}

/** A pair that is connected, or why it is not. */
interface Connected {
	readonly pair: Pair;
	readonly peer: Peer | undefined;
	readonly problem: string;
}

/** Plays the matrix through one gateway; `say` is told of what fails while it does. */
export async function runMatrix(
	selection: Selection,
	say: (line: string) => void,
): Promise<readonly Cell[]> {
	const servers = await startServers();
	const gateway = await GatewayProcess.start(servers.entries);
	const outcomes = new Outcomes(say);
	const connected: Connected[] = [];
	try {
		// On one channel a question cannot be told to belong to one of several calls, and is then
		// refused. So each server plays with one client at a time, and all servers at once.
		await eachServer(pairsOf(selection), async (pairs) => {
			for (const pair of pairs) {
				const one = await connectPair(pair, gateway);
				connected.push(one);
				for (const feature of selected(features, selection)) {
					await outcomes.play(feature, one, feature_ms);
				}
			}
		});
		for (const feature of selected([server_restart], selection)) {
			await eachServer(
				connected.map(({ pair }) => pair),
				async (pairs) => {
					const ones = connected.filter(({ pair }) => pairs.includes(pair));
					const arrive = barrier(ones.filter(({ peer }) => peer !== undefined).length);
					await Promise.all(ones.map((one) => outcomes.play(feature, one, restart_ms, arrive)));
				},
			);
		}
		for (const feature of selected([gateway_restart], selection)) {
			await gateway.killAndRestart();
			await Promise.all(connected.map((one) => outcomes.play(feature, one, restart_ms)));
		}
	} finally {
		const peers = connected.flatMap(({ peer }) => peer ?? []);
		await Promise.all(peers.map((peer) => within(connect_ms, peer.close()).catch(() => undefined)));
		await gateway.stop();
		await servers.stop();
	}
	return outcomes.cells();
}

function selected(all: readonly Feature[], { features: wanted }: Selection): readonly Feature[] {
	return wanted.length === 0 ? all : all.filter(({ name }) => wanted.includes(name));
}

function pairsOf({ clients, servers }: Selection): Pair[] {
	return client_kinds
		.filter((client) => clients.length === 0 || clients.includes(client))
		.flatMap((client, row) =>
			server_kinds
				.filter((server) => servers.length === 0 || servers.includes(server))
				.flatMap((server, column) =>
					connections[client].map((connect, way) => ({
						client,
						server,
						connect,
						key: `c${row}s${column}w${way}`,
					})),
				),
		);
}

async function connectPair(pair: Pair, gateway: GatewayProcess): Promise<Connected> {
	try {
		const peer = await within(connect_ms, pair.connect(gateway, endpointOf(pair.server)));
		return { pair, peer, problem: "" };
	} catch (error) {
		return { pair, peer: undefined, problem: `cannot connect: ${reasonOf(error)}` };
	}
}

/** Does the work for the pairs of each server, all servers at one time. */
async function eachServer(
	pairs: readonly Pair[],
	work: (pairs: readonly Pair[]) => Promise<void>,
): Promise<void> {
	const at = (kind: ServerKind) => pairs.filter(({ server }) => server === kind);
	await Promise.all(server_kinds.map((kind) => work(at(kind))));
}

/** A meeting point: everybody waits there until `size` have arrived. */
function barrier(size: number): () => Promise<boolean> {
	const complete = Promise.withResolvers<void>();
	let arrived = 0;
	return async () => {
		arrived += 1;
		const last = arrived === size;
		if (last) complete.resolve();
		await complete.promise;
		return last;
	};
}

async function within<T>(wait_ms: number, work: Promise<T>): Promise<T> {
	const late = Promise.withResolvers<never>();
	const text = `no outcome within ${wait_ms / 1000} seconds`;
	const timer = setTimeout(() => late.reject(new Error(text)), wait_ms);
	try {
		return await Promise.race([work, late.promise]);
	} finally {
		clearTimeout(timer);
	}
}

function reasonOf(error: unknown): string {
	const text = error instanceof Error ? error.message : String(error);
	return text.replaceAll(/\s+/g, " ").trim().slice(0, 300);
}

/**
 * Collects what the ways of each cell came to. A failure of any way is the cell's; a cell is ruled
 * out when none of its ways can have the feature.
 */
class Outcomes {
	readonly #say: (line: string) => void;
	readonly #cells = new Map<string, Cell>();

	constructor(say: (line: string) => void) {
		this.#say = say;
	}

	/** Every cell that was played, feature by feature in the order of the columns. */
	cells(): readonly Cell[] {
		const order = [...features, server_restart, gateway_restart].map(({ name }) => name);
		const rank = ({ feature, client, server }: Cell) =>
			(order.indexOf(feature) * client_kinds.length + client_kinds.indexOf(client)) *
				server_kinds.length +
			server_kinds.indexOf(server);
		return [...this.#cells.values()].sort((a, b) => rank(a) - rank(b));
	}

	/** Plays one feature with one pair. */
	async play(
		feature: Feature,
		one: Connected,
		wait_ms: number,
		arrive = barrier(1),
	): Promise<void> {
		const { client, server, key } = one.pair;
		const played = await outcomeOf(feature, one, wait_ms, arrive);
		const id = `${feature.name}|${client}|${server}`;
		const known = this.#cells.get(id);
		if (played.status === "fail") {
			this.#say(`✗ ${feature.name}: ${client} with ${server} (${key}): ${played.why}`);
		}
		if (known === undefined || rankOf(played.status) > rankOf(known.status)) {
			this.#cells.set(id, { feature: feature.name, client, server, ...played });
		}
	}
}

const rankOf = (status: Cell["status"]) => ["ruled-out", "pass", "fail"].indexOf(status);

async function outcomeOf(
	feature: Feature,
	{ pair, peer, problem }: Connected,
	wait_ms: number,
	arrive: () => Promise<boolean>,
): Promise<Pick<Cell, "status" | "why">> {
	if (peer === undefined) return { status: "fail", why: problem };
	const { server, key } = pair;
	const trial: Trial = { peer, server, server_era: server_eras[server], key, arrive };
	const why = feature.ruling?.why(peer.era, trial.server_era);
	const work = why === undefined ? feature.run(trial) : feature.ruling?.refused(trial);
	try {
		await within(wait_ms, work ?? Promise.resolve());
		return why === undefined ? { status: "pass", why: "" } : { status: "ruled-out", why };
	} catch (error) {
		return { status: "fail", why: reasonOf(error) };
	}
}
