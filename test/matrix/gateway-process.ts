import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cli_path } from "../support/run-cli.ts";
import { checkWire } from "../wire/watch.ts";
import { type WatchedProcess, watchedProcess } from "../wire/watched-process.ts";
import { type Child, killChild, startChild } from "./child.ts";

/** `moorage up` as a process of its own, which can be killed and started again. */
export class GatewayProcess {
	readonly #folder: string;
	readonly #config: string;
	#child: Child | undefined;
	#wire: WatchedProcess | undefined;
	url = "";

	private constructor(folder: string, config: string) {
		this.#folder = folder;
		this.#config = config;
	}

	/** Starts a gateway for these servers in a folder of its own. */
	static async start(servers: object): Promise<GatewayProcess> {
		const folder = await mkdtemp(join(tmpdir(), "moorage-matrix-"));
		const config = join(folder, "moorage.yaml");
		await writeFile(config, JSON.stringify({ version: 1, servers }));
		const gateway = new GatewayProcess(folder, config);
		await gateway.#up();
		return gateway;
	}

	/** Its data folder. */
	get data(): string {
		return join(this.#folder, "data");
	}

	/** Kills it without warning and starts it again at the same address. */
	async killAndRestart(): Promise<void> {
		if (this.#child !== undefined) await killChild(this.#child);
		this.#checkWire();
		await this.#up();
	}

	async stop(): Promise<void> {
		this.#child?.process.kill("SIGTERM");
		await this.#child?.exited;
		await rm(this.#folder, { recursive: true, force: true });
		this.#checkWire();
	}

	#checkWire(): void {
		checkWire(this.#wire?.takeComplaints());
	}

	async #up(): Promise<void> {
		const listen = this.url === "" ? "127.0.0.1:0" : new URL(this.url).host;
		const args = ["up", this.#config, "--json", "--data", this.data, "--listen", listen];
		const wire = watchedProcess();
		this.#wire = wire;
		const { child, found } = await startChild(
			[...wire.node_args, cli_path, ...args],
			{ PATH: process.env["PATH"], HOME: this.#folder, ...wire.environment },
			addressIn,
		);
		this.#child = child;
		this.url = found;
	}
}

/** It prints one document once every server has answered or failed. */
function addressIn(printed: string): string | undefined {
	if (!printed.endsWith("\n}\n")) return undefined;
	const { mcp_url } = JSON.parse(printed) as { mcp_url?: string };
	return mcp_url === undefined ? undefined : new URL(mcp_url).origin;
}
