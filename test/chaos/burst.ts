import type { SeededRandom } from "../support/seeded-random.ts";
import type { ChaosClient, ClientKind } from "./clients.ts";
import { type House, type ServerName, server_names, session_name, shared_names } from "./house.ts";
import { type Ended, judgeError, judgeResult } from "./outcome.ts";
import type { Wire } from "./wire.ts";

/** A client, the network in front of it and all that became of its calls. */
export interface Actor {
	readonly kind: ClientKind;
	readonly number: number;
	readonly mark: string;
	readonly client: ChaosClient;
	readonly wire: Wire;
	readonly session_id: string | undefined;
	readonly ended: Ended[];
	next_call: number;
}

/** One call as it is planned: drawn before the burst, so that the seed alone decides it. */
interface PlannedCall {
	readonly server: ServerName;
	readonly tool: "work" | "ask" | "keep";
	readonly ms: number;
	readonly bytes: number;
}

/** What is done in the middle of a burst, after so many calls have ended. */
interface Blow {
	readonly after_calls: number;
	readonly strike: (scene: Scene) => Promise<void>;
}

/** Where a burst happens. */
export interface Scene {
	readonly house: House;
	readonly actors: readonly Actor[];
	/** Counts what was done, by name. */
	readonly struck: Map<string, number>;
}

/** A moment for a slow reader: long enough for buffers to fill. */
const dawdle_ms = 700;

/** Calls of one client that run at once, and in one burst. */
const calls_at_once = 4;
const calls_per_burst = 40;

/** Every client calls as fast as it can, while one blow after the other falls. */
export async function burst(scene: Scene, random: SeededRandom): Promise<void> {
	const { actors } = scene;
	const plans = actors.map(({ kind }) =>
		Array.from({ length: calls_per_burst }, () => planCall(kind, random)),
	);
	const blows = planBlows(random, actors);
	const falling: Promise<void>[] = [];
	let ended = 0;
	const onEnded = () => {
		ended += 1;
		while (blows[0] !== undefined && blows[0].after_calls <= ended) {
			falling.push((blows.shift() as Blow).strike(scene));
		}
	};
	await Promise.all(
		actors.map((actor, at) => callAll(actor, plans[at] ?? [], scene.house, onEnded)),
	);
	await Promise.all(falling);
}

/** One call after the burst: everything works as if nothing had happened. */
export async function callOnce(actor: Actor, server: ServerName): Promise<Ended> {
	const tool = server === session_name ? "keep" : "work";
	await perform(actor, { server, tool, ms: 0, bytes: 10 });
	return actor.ended.at(-1) as Ended;
}

/** The servers that a kind of client may use: without a session there is none of its own. */
export function serversOf(kind: ClientKind): readonly ServerName[] {
	return kind.endsWith("modern") ? shared_names : server_names;
}

function planCall(kind: ClientKind, random: SeededRandom): PlannedCall {
	const asks = random.chance(0.1);
	const server = asks ? "http-legacy" : random.pick(serversOf(kind));
	const keeps = server === session_name && random.chance(0.5);
	return {
		server,
		tool: asks ? "ask" : keeps ? "keep" : "work",
		// Some outlast the moment after which a legacy reply becomes a stream to resume.
		ms: random.pick([0, 0, 0, 5, 40, 150, 700, 1_200]),
		bytes: random.chance(0.1) ? 300_000 : 20,
	};
}

function planBlows(random: SeededRandom, actors: readonly Actor[]): Blow[] {
	const total = actors.length * calls_per_burst;
	const within = () => Math.floor(total * (0.1 + 0.75 * random.fraction()));
	const blows: Blow[] = [{ after_calls: within(), strike: killGateway }];
	for (const name of server_names) {
		if (random.chance(0.6)) blows.push({ after_calls: within(), strike: killServer(name) });
	}
	if (random.chance(0.8)) blows.push({ after_calls: within(), strike: killSandboxes });
	for (const { number } of actors) {
		if (random.chance(0.5)) blows.push({ after_calls: within(), strike: cutWire(number) });
		if (random.chance(0.4)) blows.push({ after_calls: within(), strike: slowWire(number) });
	}
	return blows.sort((one, other) => one.after_calls - other.after_calls);
}

async function callAll(
	actor: Actor,
	plan: readonly PlannedCall[],
	house: House,
	onEnded: () => void,
): Promise<void> {
	const left = plan.values();
	const line = async () => {
		// One iterator for all lines: each call is taken once.
		for (const call of left) {
			await perform(actor, call);
			onEnded();
			if (actor.ended.at(-1)?.outcome === "disconnected") await house.up();
		}
	};
	await Promise.all(Array.from({ length: calls_at_once }, line));
}

async function perform(actor: Actor, call: PlannedCall): Promise<void> {
	const { client, mark, ended } = actor;
	const id = `${mark}${actor.next_call}`;
	actor.next_call += 1;
	const { server, tool, ms, bytes } = call;
	const said = tool !== "work" ? mark : mark.repeat(Math.ceil(bytes / mark.length));
	const started_ms = performance.now();
	try {
		const result = await client.call(`${server}__${tool}`, { id, owner: mark, ms, bytes });
		ended.push(judgeResult(id, result, `${id} ${said}`));
	} catch (error) {
		ended.push(judgeError(id, error, performance.now() - started_ms));
	}
}

function count(scene: Scene, what: string, times = 1): void {
	scene.struck.set(what, (scene.struck.get(what) ?? 0) + times);
}

async function killGateway(scene: Scene): Promise<void> {
	count(scene, "gateways killed");
	await scene.house.restartGateway();
}

const killServer = (name: ServerName) => async (scene: Scene) => {
	if (await scene.house.killServer(name)) count(scene, "servers killed");
};

async function killSandboxes(scene: Scene): Promise<void> {
	count(scene, "sandboxes killed", await scene.house.killSandboxes());
}

const cutWire = (number: number) => async (scene: Scene) => {
	const wire = scene.actors[number]?.wire;
	const before = wire?.cuts ?? 0;
	wire?.cut();
	count(scene, "connections cut", (wire?.cuts ?? 0) - before);
};

const slowWire = (number: number) => async (scene: Scene) => {
	const wire = scene.actors[number]?.wire;
	wire?.dawdle();
	count(scene, "slow readers");
	await new Promise((resolve) => setTimeout(resolve, dawdle_ms));
	wire?.hurry();
};
