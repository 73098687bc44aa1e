import type { Contender, ServerName } from "./contenders.ts";
import { echoArguments, startProgram } from "./contenders.ts";
import type { LoadRequest } from "./load.ts";
import { legacyCall, modernCall, modernList, openSession, type Saying } from "./requests.ts";

/** One side of a case: a server and what is asked of it. */
export interface Side {
	readonly contender: Contender;
	readonly request: LoadRequest;
}

/** Calls under load, compared side by side. The first side is the gateway's. */
export interface CallCase {
	readonly name: string;
	/** What is measured, for people. */
	readonly title: string;
	readonly connections: number;
	/** Calls a second that come on their own; undefined: as many as are answered. */
	readonly rate?: number;
	/** Bytes of each result, where they are what it is about. */
	readonly bytes?: number;
	/** True for cases of the long run, which the short one leaves out. */
	readonly full?: boolean;
	/** True where every reply has to be looked at: event streams, which wrk does not read. */
	readonly checked_only?: boolean;
	/** Starts what the gateway is compared with. */
	sides(house: House): Promise<Record<string, Side>>;
}

/** What all cases share: the gateway, and what they start beside it and how. */
export interface House {
	readonly gateway: Contender;
	readonly remote: Contender;
	/** Other gateways, started when first asked for; each a side named `peer:NAME`. */
	peers(): Promise<Record<string, Side>>;
	/** Starts a program once, however many cases ask for it. */
	shared(name: string, start: () => Promise<Contender>): Promise<Contender>;
}

const in_flight = 32;

/** Every case of calls under load, in order. */
export const call_cases: readonly CallCase[] = [
	{
		name: "stdio-32-plain",
		title: "tools/call to a stdio server, 32 in flight",
		connections: in_flight,
		sides: async (house) => ({ ...(await plainSides(house)), ...(await house.peers()) }),
	},
	{
		name: "stdio-1-plain",
		title: "tools/call to a stdio server, one at a time",
		connections: 1,
		sides: plainSides,
	},
	{
		name: "http-32-plain",
		title: "tools/call to a remote server, 32 in flight",
		connections: in_flight,
		sides: (house) => remoteSides(house),
	},
	{
		name: "stdio-32-bridged",
		title: "client and server of different eras, against client and server of one",
		connections: in_flight,
		sides: bridgedSides,
	},
	{
		name: "list-100-tools",
		title: "tools/list with 100 tools, 32 in flight",
		connections: in_flight,
		sides: listSides,
	},
];

/** Whom a call to a stdio server is compared with, beside the gateway. */
export async function comparedSides(house: Pick<House, "shared">): Promise<Record<string, Side>> {
	const say = modernCall();
	const child = [process.execPath, ...echoArguments("--era", "modern")];
	const multiplexer = () => startProgram("multiplexer", ...child);
	return {
		ceiling: at(await house.shared("multiplexer", multiplexer), "/mcp", say),
		sdk: at(await house.shared("sdk", () => startProgram("sdk")), "/mcp", say),
		raw: at(await house.shared("raw", () => startProgram("raw-http")), "/mcp", say),
	};
}

async function plainSides(house: House): Promise<Record<string, Side>> {
	return {
		moorage: atServer(house, "modern", modernCall()),
		...(await comparedSides(house)),
		legacy_session: await inSession(house, "legacy"),
	};
}

/** A remote server, through the gateway and through the least that could do it. */
export async function remoteSides(
	house: House,
	say: Saying = modernCall(),
): Promise<Record<string, Side>> {
	const url = `http://127.0.0.1:${house.remote.port}/mcp`;
	const multiplexer = () => startProgram("multiplexer", "--url", url);
	return {
		moorage: atServer(house, "remote", say),
		ceiling: at(await house.shared("remote multiplexer", multiplexer), "/mcp", say),
	};
}

async function bridgedSides(house: House): Promise<Record<string, Side>> {
	return {
		moorage: atServer(house, "legacy", modernCall()),
		same_era: atServer(house, "modern", modernCall()),
		legacy_to_modern: await inSession(house, "modern"),
		legacy_same_era: await inSession(house, "legacy"),
	};
}

async function listSides(house: House): Promise<Record<string, Side>> {
	const say = modernList();
	const child = [process.execPath, ...echoArguments("--era", "modern", "--tools", "100")];
	const multiplexer = () => startProgram("multiplexer", ...child);
	const sdk = () => startProgram("sdk", "100");
	return {
		moorage: atServer(house, "hundred", say),
		ceiling: at(await house.shared("multiplexer of 100", multiplexer), "/mcp", say),
		sdk: at(await house.shared("sdk of 100", sdk), "/mcp", say),
	};
}

/** A side that asks this of a contender at an address of it. */
export function at(contender: Contender, path: string, say: Saying): Side {
	return { contender, request: { port: contender.port, path, ...say } };
}

/** A side that asks this of a server behind the gateway. */
export function atServer({ gateway }: House, server: ServerName, say: Saying): Side {
	return at(gateway, `/${server}/mcp`, say);
}

async function inSession(house: House, server: ServerName): Promise<Side> {
	const session = await openSession(`http://127.0.0.1:${house.gateway.port}/${server}/mcp`);
	return atServer(house, server, legacyCall(session));
}
