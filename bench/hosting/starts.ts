import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Saying } from "../requests.ts";
import { modernToolCall } from "../requests.ts";
import { distributionOf, valuesOf } from "./distribution.ts";
import type { HostingCase, Measured } from "./measured.ts";
import { echoServer, type Scene, withScene } from "./scene.ts";

const package_command = "npx -y @modelcontextprotocol/server-memory@2026.8.31";
/** Its answer to a graph that has nothing in it. */
const readGraph = (): Saying => modernToolCall("read_graph", {}, "entities");

const stops_soon = { freeze: "never", reclaim: "never", stop: "100ms" };

/** Calls servers in turn, each after all of them were stopped; the times of each. */
async function coldInTurn(
	scene: Scene,
	servers: readonly string[],
	rounds: number,
	saying?: () => Saying,
): Promise<Map<string, number[]>> {
	const times = new Map(servers.map((name) => [name, [] as number[]]));
	for (let round = 0; round < rounds; round += 1) {
		for (const name of servers) {
			await scene.untilAll("stopped");
			times.get(name)?.push(await scene.ask(name, saying?.()));
		}
	}
	return times;
}

const npm: HostingCase = {
	name: "hosting-npm",
	title: "a real npm server: its first call ever, and calls after it was stopped",
	async measure() {
		const cache = await mkdtemp(join(tmpdir(), "moorage-bench-npm-"));
		const entry = { command: package_command, start: "on-demand", idle: stops_soon };
		const servers = {
			unbundled: entry,
			bundled: { ...entry, packages: { bundle: true } },
		};
		try {
			// An empty cache: the first install is one of a machine that never saw the package.
			const environment = { npm_config_cache: cache };
			return await withScene({ servers }, measureNpm, { environment });
		} finally {
			await rm(cache, { recursive: true, force: true, maxRetries: 3 });
		}
	},
};

async function measureNpm(scene: Scene): Promise<Measured> {
	const started = performance.now();
	try {
		await scene.ask("unbundled", readGraph());
	} catch (error) {
		const status = await scene.status("unbundled");
		if (status.code !== "install_failed") throw error;
		return { skipped: `the package could not be installed: ${status.reason ?? ""}` };
	}
	const first_install_ms = Math.round(performance.now() - started);
	const sandbox = (await scene.status("unbundled")).instances[0]?.sandbox?.kind;
	await scene.ask("bundled", readGraph());
	// The first start after an install still fills the compile cache.
	await coldInTurn(scene, ["unbundled", "bundled"], 1, readGraph);
	const times = await coldInTurn(scene, ["unbundled", "bundled"], 15, readGraph);
	return {
		first_install_ms,
		...valuesOf("unbundled", times.get("unbundled") ?? []),
		...valuesOf("bundled", times.get("bundled") ?? []),
		sandboxed: sandbox === "bubblewrap" ? 1 : 0,
	};
}

const sandbox: HostingCase = {
	name: "hosting-sandbox",
	title: "what the sandbox adds to the start of a server that does next to nothing",
	async measure() {
		const entry = { ...echoServer(), start: "on-demand", idle: stops_soon };
		const servers = { plain: { ...entry, sandbox: "off" }, boxed: { ...entry, sandbox: "on" } };
		return withScene({ servers }, async (scene): Promise<Measured> => {
			await scene.ask("boxed");
			const kind = (await scene.status("boxed")).instances[0]?.sandbox?.kind;
			if (kind !== "bubblewrap") return { skipped: "no sandbox works on this machine" };
			const times = await coldInTurn(scene, ["plain", "boxed"], 40);
			const [plain = [], boxed = []] = [times.get("plain"), times.get("boxed")];
			return {
				...valuesOf("plain", plain),
				...valuesOf("boxed", boxed),
				added_ms: distributionOf(boxed).p50 - distributionOf(plain).p50,
			};
		});
	},
};

const fifty: HostingCase = {
	name: "hosting-50-starts",
	title: "50 stopped servers, all called at the same moment",
	async measure() {
		const names = Array.from({ length: 50 }, (_, index) => `s${index}`);
		const entry = { ...echoServer(), start: "on-demand" };
		const servers = Object.fromEntries(names.map((name) => [name, entry]));
		return withScene({ servers }, async (scene) => {
			const started = performance.now();
			const outcomes = await Promise.allSettled(names.map((name) => scene.ask(name)));
			const all_ms = Math.round(performance.now() - started);
			const times_ms = outcomes.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
			const lost = outcomes.find((one) => one.status === "rejected");
			if (lost !== undefined) process.stderr.write(`${String(lost.reason)}\n`);
			const statuses = await scene.statuses();
			return {
				...valuesOf("answer", times_ms),
				all_ms,
				unanswered: names.length - times_ms.length,
				restarts: statuses.reduce((sum, { restarts }) => sum + restarts, 0),
			};
		});
	},
};

/** Servers that have to be started before they can answer. */
export const start_cases: readonly HostingCase[] = [npm, sandbox, fifty];
