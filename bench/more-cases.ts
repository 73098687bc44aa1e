import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { at, atServer, type CallCase, type House, remoteSides, type Side } from "./cases.ts";
import { type Contender, echoArguments, startProgram } from "./contenders.ts";
import { legacyCall, modernCall, modernListOf, modernToolCall, openSession } from "./requests.ts";

const kb = 1024;
const mb = 1024 * kb;

/** Sizes of results, and how many calls of that size are under way at once. */
const sizes = [
	{ name: "64", bytes: 64, connections: 32 },
	{ name: "4k", bytes: 4 * kb, connections: 32 },
	{ name: "100k", bytes: 100 * kb, connections: 16 },
	{ name: "5m", bytes: 5 * mb, connections: 4 },
] as const;

/** Cases of `npm run bench:full` alone: each asks how one thing that grows is borne. */
export const more_cases: readonly CallCase[] = [
	inFlight("stdio", 256),
	...[1, 256].map((connections) => inFlight("http", connections)),
	...[100, 10_000].map((count) => inSessions(count)),
	...sizes.map((size) => ofSize("stdio", size)),
	...sizes.filter(({ name }) => name === "5m").map((size) => ofSize("http", size)),
	...(["stdio", "http"] as const).map((kind) => openLoop(kind)),
	{
		name: "list-1000-tools",
		title: "tools/list with 1,000 tools of a realistic size, 8 in flight",
		connections: 8,
		full: true,
		sides: longListSides,
	},
	{
		name: "stdio-32-progress",
		title: "tools/call with ten progress notifications each, 32 in flight",
		connections: 32,
		full: true,
		checked_only: true,
		sides: async (house) => ({
			moorage: atServer(
				house,
				"modern",
				modernToolCall("echo", { text: "done", progress: 10 }, '"text":"done"', true),
			),
		}),
	},
];

const multiplexer = (house: House): Promise<Contender> =>
	house.shared("multiplexer", () =>
		startProgram("multiplexer", process.execPath, ...echoArguments("--era", "modern")),
	);

function inFlight(kind: "stdio" | "http", connections: number): CallCase {
	const place = kind === "stdio" ? "a stdio server" : "a remote server";
	const how = connections === 1 ? "one at a time" : `${connections} in flight`;
	return {
		name: `${kind}-${connections}-plain`,
		title: `tools/call to ${place}, ${how}`,
		connections,
		full: true,
		sides: async (house) =>
			kind === "http"
				? remoteSides(house)
				: {
						moorage: atServer(house, "modern", modernCall()),
						ceiling: at(await multiplexer(house), "/mcp", modernCall()),
					},
	};
}

function inSessions(count: number): CallCase {
	return {
		name: `stdio-32-sessions-${count}`,
		title: `tools/call in ${count} legacy sessions by turns, 32 in flight`,
		connections: 32,
		full: true,
		async sides(house) {
			const address = `http://127.0.0.1:${house.gateway.port}/legacy/mcp`;
			const sessions: string[] = [];
			const open = async () => {
				while (sessions.length < count) sessions.push(await openSession(address));
			};
			await Promise.all(Array.from({ length: 16 }, open));
			const { headers, ...say } = legacyCall("");
			const { "mcp-session-id": _, ...common } = headers;
			return { moorage: atServer(house, "legacy", { ...say, headers: common, sessions }) };
		},
	};
}

function ofSize(
	kind: "stdio" | "http",
	{ name, bytes, connections }: (typeof sizes)[number],
): CallCase {
	const say = modernToolCall("echo", { text: "of that size", bytes }, "of that size");
	const place = kind === "stdio" ? "a stdio server" : "a remote server";
	return {
		name: `${kind}-result-${name}`,
		title: `results of ${bytes} bytes from ${place}, ${connections} in flight`,
		connections,
		full: true,
		bytes,
		sides: async (house) =>
			kind === "http"
				? remoteSides(house, say)
				: {
						moorage: atServer(house, "modern", say),
						ceiling: at(await multiplexer(house), "/mcp", say),
					},
	};
}

/** Calls that come at a rate, so that it is seen how long they wait. */
function openLoop(kind: "stdio" | "http"): CallCase {
	const server = kind === "stdio" ? "modern" : "remote";
	return {
		name: `${kind}-open-2000`,
		title: `2,000 calls a second to a ${kind} server, whatever becomes of them`,
		connections: 64,
		rate: 2_000,
		full: true,
		sides: async (house) => ({ moorage: atServer(house, server, modernCall()) }),
	};
}

async function longListSides(house: House): Promise<Record<string, Side>> {
	const say = modernListOf("echo_999");
	const gateway = at(house.gateway, "/long/mcp", say);
	const { port } = house.gateway;
	const body = say.body.replace("$ID", "123456789");
	const answer = await fetch(`http://127.0.0.1:${port}/long/mcp`, {
		method: "POST",
		headers: say.headers,
		body,
	});
	const prepared = join(tmpdir(), `moorage-bench-list-${process.pid}.json`);
	await writeFile(prepared, await answer.text());
	const raw = await house.shared("raw list", () => startProgram("raw-http", prepared));
	return { moorage: gateway, raw: at(raw, "/mcp", say) };
}
