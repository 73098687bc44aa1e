import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadPlan } from "../../src/config/load.ts";
import { type Daemon, type DaemonOptions, startDaemon } from "../../src/daemon/daemon.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { fixturePath } from "./fixtures.ts";
import { QuietLog } from "./quiet-log.ts";

/** A gateway in this process, on a port and a data folder of its own. */
export interface TestGateway {
	readonly url: string;
	readonly daemon: Daemon;
	readonly folder: string;
	readonly config_path: string;
	readonly log: QuietLog;
	/** The address of an endpoint: "mcp" or a server's name. */
	address(endpoint?: string): URL;
	/** Writes another configuration and applies it. */
	reconfigure(config: object): ReturnType<Daemon["reload"]>;
	stop(): Promise<void>;
}

/** Ready and failed servers are waited for this long; tests never get near it. */
const settle_ms = 30_000;

/** Entry of a configuration that runs one of the fixtures over its standard streams. */
export function stdioFixture(name: string, ...args: string[]) {
	return { command: process.execPath, args: [fixturePath(name), ...args] };
}

/** Starts a gateway on the content of a moorage.yaml (JSON is YAML). */
export async function startGateway(
	config: object,
	options: Partial<DaemonOptions> & { folder?: string; port?: number } = {},
): Promise<TestGateway> {
	const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "moorage-test-")));
	const config_path = join(folder, "moorage.yaml");
	const listen = `127.0.0.1:${options.port ?? 0}`;
	const write = (content: object) =>
		writeFile(config_path, JSON.stringify({ version: 1, listen, ...content }));
	await write(config);
	const log = new QuietLog();
	const started = await startDaemon({
		load: () =>
			loadPlan({
				path: config_path,
				cwd: folder,
				environment: {},
				home: folder,
				overrides: {},
			}),
		environment: { PATH: process.env["PATH"] },
		clock: systemClock,
		random: systemRandom,
		log,
		watch: false,
		...options,
	});
	if (!started.ok) throw new Error(JSON.stringify(started.problem));
	const daemon = started.value;
	await daemon.settled(settle_ms);
	return {
		url: daemon.url,
		daemon,
		folder,
		config_path,
		log,
		address: (endpoint = "mcp") =>
			new URL(endpoint === "mcp" ? "/mcp" : `/${endpoint}/mcp`, daemon.url),
		async reconfigure(content) {
			await write(content);
			return daemon.reload();
		},
		async stop() {
			await daemon.stop();
			if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
		},
	};
}
