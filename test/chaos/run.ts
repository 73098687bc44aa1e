import { sandboxObstacle } from "../support/sandboxed.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { type Actor, burst, callOnce, type Scene, serversOf } from "./burst.ts";
import { client_kinds, connectClient } from "./clients.ts";
import { House } from "./house.ts";
import type { Outcome } from "./outcome.ts";
import { ownerMark, Wire } from "./wire.ts";

/** One thing that must hold, and what speaks against it. */
export interface Check {
	readonly name: string;
	readonly problems: readonly string[];
}

/** What came of one run. */
export interface ChaosReport {
	readonly seed: number;
	readonly checks: readonly Check[];
	/** Calls by kind of client and how they ended. */
	readonly calls: Readonly<Record<string, Readonly<Record<Outcome, number>>>>;
	/** What was done meanwhile, by name. */
	readonly struck: Readonly<Record<string, number>>;
}

/** How much is played. */
export interface ChaosOptions {
	readonly seed: number;
	/** Most bursts that are played; infinite where the time decides. */
	readonly bursts: number;
	/** No burst begins after this; one takes a minute at most, even where calls hang. */
	readonly play_ms_max: number;
	readonly clients_per_kind: number;
	/** Takes progress and, at the end, what the gateway wrote. */
	readonly say: (line: string) => void;
}

/** Plays the bursts that a seed describes on real processes and looks at what is left. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
	const { seed, bursts, play_ms_max, clients_per_kind, say } = options;
	const random = new SeededRandom(seed);
	const house = await House.open(`chaos-${process.pid}-${seed}`);
	const actors: Actor[] = [];
	const struck = new Map<string, number>();
	const scene: Scene = { house, actors, struck };
	const checks: Check[] = [];
	let left: string[] = [];
	const started_ms = performance.now();
	try {
		const kinds = client_kinds.flatMap((kind) =>
			Array.from({ length: clients_per_kind }, () => kind),
		);
		for (const kind of kinds) actors.push(await enter(house, kind, actors.length));
		for (let number = 1; number <= bursts; number += 1) {
			if (performance.now() - started_ms > play_ms_max) {
				say(`the time is up after ${number - 1} bursts`);
				break;
			}
			await burst(scene, random);
			say(`burst ${number}: ${[...struck].map(([what, n]) => `${n} ${what}`).join(", ")}`);
			checks.push(await settled(scene, number));
		}
		checks.push(...(await judge(scene)));
		for (const { mark, client, ended } of actors) {
			if (!ended.some(({ outcome }) => outcome === "wrong")) continue;
			for (const text of client.complaints) say(`${mark} complained: ${text}`);
		}
	} finally {
		await Promise.allSettled(actors.map(({ client }) => client.close()));
		await Promise.allSettled(actors.map(({ wire }) => wire.close()));
		left = await house.close();
	}
	checks.push({ name: "no process and no control group is left", problems: left });
	const stopped = house.stop_code === 0 ? [] : [`it ended with ${house.stop_code}`];
	checks.push({ name: "the gateway stops cleanly when asked", problems: stopped });
	const defects = house.gateway_lines.filter((line) =>
		/"?internal"?|AssertionError|uncaught/iu.test(line),
	);
	checks.push({ name: "the gateway met no defect of its own", problems: defects });
	return { seed, checks, calls: countCalls(actors), struck: Object.fromEntries(struck) };
}

async function enter(house: House, kind: Actor["kind"], number: number): Promise<Actor> {
	const wire = await Wire.open(number, house.port);
	const mark = ownerMark(number);
	const client = await connectClient(kind, wire.address("/mcp"), mark);
	const session_id = client.sessionId();
	return { kind, number, mark, client, wire, session_id, ended: [], next_call: 1 };
}

/** After a burst every client's next request to every server works. */
async function settled({ actors, house }: Scene, number: number): Promise<Check> {
	await house.up();
	const problems: string[] = [];
	// Servers that were killed last may still be on their way back, which an error may say once.
	for (const actor of actors.slice(0, 1)) {
		for (const server of serversOf(actor.kind)) await callOnce(actor, server);
	}
	await Promise.all(
		actors.map(async (actor) => {
			for (const server of serversOf(actor.kind)) {
				const { outcome, why } = await callOnce(actor, server);
				if (outcome !== "result") problems.push(`${actor.kind} at ${server}: ${outcome}, ${why}`);
			}
		}),
	);
	return { name: `burst ${number}: every next request of every client works`, problems };
}

async function judge({ actors, house, struck }: Scene): Promise<Check[]> {
	const executed = new Map<string, number>();
	for (const id of await house.executed()) executed.set(id, (executed.get(id) ?? 0) + 1);
	const ended = actors.flatMap((actor) => actor.ended.map((call) => ({ ...call, actor })));
	const wrong = ended.filter(({ outcome }) => outcome === "wrong");
	const twice = [...executed].filter(([, times]) => times > 1);
	const invented = ended.filter(({ id, outcome }) => outcome === "result" && !executed.has(id));
	const unasked = actors.flatMap(({ client, kind }) =>
		client.complaints
			.filter((text) => /unknown message/iu.test(text))
			.map((text) => `${kind}: ${text}`),
	);
	const foreign = actors.flatMap(({ wire, mark }) =>
		wire.foreign.map((found) => `${found} at ${mark}`),
	);
	const strangers = actors.filter(({ client, session_id }) => client.sessionId() !== session_id);
	const missing = actors.filter(
		({ kind, session_id }) => (session_id === undefined) !== kind.endsWith("modern"),
	);
	const sandboxes = (await sandboxObstacle()) === false ? ["sandboxes killed"] : [];
	const blows = ["gateways killed", "servers killed", "connections cut", "slow readers"];
	return [
		{
			name: "every call ended with its result or an honest error",
			problems: wrong.map(({ actor, id, why }) => `${actor.kind}, ${id}: ${why}`),
		},
		{ name: "no call was answered twice", problems: unasked },
		{ name: "no call ran twice", problems: twice.map(([id, times]) => `${id} ran ${times} times`) },
		{ name: "no result without its call", problems: invented.map(({ id }) => id) },
		{ name: "no byte of one client at another", problems: foreign },
		{
			name: "sessions go on under the same id",
			problems: [...strangers, ...missing].map(({ kind, mark }) => `${kind}, ${mark}`),
		},
		{
			name: "every kind of blow fell",
			problems: [...blows, ...sandboxes].filter((what) => (struck.get(what) ?? 0) === 0),
		},
	];
}

function countCalls(actors: readonly Actor[]): ChaosReport["calls"] {
	const calls: Record<string, Record<Outcome, number>> = {};
	for (const { kind, ended } of actors) {
		const counts = (calls[kind] ??= { result: 0, fault: 0, disconnected: 0, wrong: 0 });
		for (const { outcome } of ended) counts[outcome] += 1;
	}
	return calls;
}
