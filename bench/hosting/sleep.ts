import { readSwap } from "../../src/hosting/process/swap.ts";
import { modernList } from "../requests.ts";
import { valuesOf } from "./distribution.ts";
import type { HostingCase } from "./measured.ts";
import { echoServer, type Scene, withScene } from "./scene.ts";

/*
 * Several servers sleep and are woken one after the other: what is measured is undisturbed by
 * the next one that falls asleep, and many wakes are measured in little time.
 */
const sleepers = Array.from({ length: 20 }, (_, index) => `s${index}`);
const freeze_ms = 400;

function sleeping(idle: object, ...args: string[]): object {
	const entry = { ...echoServer(...args), start: "on-demand", idle };
	return { servers: Object.fromEntries(sleepers.map((name) => [name, entry])) };
}

/** Times of so many rounds over all sleepers, each begun when all are as they should be. */
async function wakeInTurn(scene: Scene, rounds: number, asleep: () => Promise<void>) {
	const times_ms: number[] = [];
	for (let round = 0; round < rounds; round += 1) {
		await asleep();
		for (const name of sleepers) times_ms.push(await scene.ask(name));
	}
	return times_ms;
}

const frozen: HostingCase = {
	name: "hosting-frozen",
	title: "a call to a server that runs, and to one that is frozen",
	measure: (short) =>
		withScene(
			sleeping({ freeze: `${freeze_ms}ms`, reclaim: "never", stop: "never" }),
			async (scene) => {
				for (const name of sleepers) await scene.ask(name);
				const warm_ms: number[] = [];
				for (let call = 0; call < (short ? 200 : 1_000); call += 1) {
					warm_ms.push(await scene.ask("s0"));
				}
				const asleep = () => scene.untilAll("frozen");
				await wakeInTurn(scene, 1, asleep);
				const times_ms = await wakeInTurn(scene, short ? 8 : 25, asleep);
				return { ...valuesOf("warm", warm_ms), ...valuesOf("frozen", times_ms) };
			},
		),
};

const reclaimed: HostingCase = {
	name: "hosting-reclaimed",
	title: "a call to a frozen server that has given its memory back",
	async measure() {
		if (readSwap() === undefined) return { skipped: "this machine has no swap space, nor zram" };
		const idle = { freeze: "100ms", reclaim: "200ms", stop: "never" };
		return withScene(sleeping(idle), async (scene) => {
			for (const name of sleepers) await scene.ask(name);
			const asleep = () =>
				scene.until("reclaimed", ({ state, instances }) => {
					return state === "frozen" && (instances[0]?.reclaimed_bytes ?? 0) > 0;
				});
			const times_ms = await wakeInTurn(scene, 5, asleep);
			return valuesOf("reclaimed", times_ms);
		});
	},
};

const listed: HostingCase = {
	name: "hosting-list-asleep",
	title: "a list of 100 tools from a server that is stopped, and stays so",
	measure: (short) =>
		withScene(
			sleeping({ freeze: "50ms", reclaim: "never", stop: "100ms" }, "--tools", "100"),
			async (scene) => {
				// What they offer is known once they have run.
				for (const name of sleepers) await scene.ask(name);
				await scene.untilAll("stopped");
				const rounds = short ? 10 : 50;
				const times_ms: number[] = [];
				for (let round = 0; round < rounds; round += 1) {
					for (const name of sleepers) times_ms.push(await scene.ask(name, modernList()));
				}
				const woken = (await scene.statuses()).filter(({ state }) => state !== "stopped");
				return { ...valuesOf("list", times_ms), woken: woken.length };
			},
		),
};

/** Servers that sleep, and what wakes them. */
export const sleep_cases: readonly HostingCase[] = [frozen, reclaimed, listed];
