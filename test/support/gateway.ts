import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadPlan } from "../../src/config/load.ts";
import { startDaemon } from "../../src/daemon/daemon.ts";
import type { Daemon, DaemonOptions } from "../../src/daemon/options.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import {
	checkWire,
	expectWrong,
	type WrongOnPurpose,
	watchListener,
	watchWire,
} from "../wire/watch.ts";
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

/** How a test starts its gateway. */
export interface TestGatewayOptions extends Partial<DaemonOptions> {
	readonly folder?: string;
	readonly port?: number;
	/** Messages that the test sends or causes wrong on purpose; all others are checked. */
	readonly wrong?: readonly WrongOnPurpose[];
}

/**
 * Starts a gateway on the content of a moorage.yaml (JSON is YAML). Everything that clients, the
 * gateway and servers say to each other meanwhile is held against the schema of the revision
 * they speak; `stop` fails when something does not fit.
 */
export async function startGateway(
	config: object,
	{ wrong = [], ...options }: TestGatewayOptions = {},
): Promise<TestGateway> {
	watchWire({ all_listeners: false });
	expectWrong(wrong);
	const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "moorage-test-")));
	const config_path = join(folder, "moorage.yaml");
	const listen = `127.0.0.1:${options.port ?? 0}`;
	const write = (content: object) =>
		writeFile(config_path, JSON.stringify({ version: 1, listen, ...content }));
	await write(config);
	const log = new QuietLog();
	const started = await startDaemon({
		load: (text) =>
			loadPlan({
				text,
				path: config_path,
				cwd: folder,
				environment: options.environment ?? {},
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
	const remove = async () => {
		if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
	};
	if (!started.ok) {
		await remove();
		throw new Error(JSON.stringify(started.problem));
	}
	const daemon = started.value;
	watchListener(daemon.url);
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
			await remove();
			checkWire();
		},
	};
}
