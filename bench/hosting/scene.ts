import { readFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { setTimeout } from "node:timers/promises";
import type { ServerStatus } from "../../src/admin/contract.ts";
import {
	echoArguments,
	type GatewayPlace,
	type GatewayProcess,
	startGateway,
} from "../contenders.ts";
import { modernCall, type Saying } from "../requests.ts";

const look_again_ms = 10;
/** Nothing that is waited for takes longer, unless something is wrong. */
const wait_ms_max = 60_000;

/** The entry of a server in this repository that does next to nothing. */
export function echoServer(...args: string[]): { command: string; args: string[] } {
	return { command: process.execPath, args: echoArguments("--era", "modern", ...args) };
}

/** Runs something with a gateway of its own, which is stopped in any case. */
export async function withScene<Value>(
	config: object,
	run: (scene: Scene) => Promise<Value>,
	place: GatewayPlace = {},
): Promise<Value> {
	const gateway = await startGateway(config, place);
	const scene = new Scene(gateway, (await readFile(gateway.admin_token_path, "utf8")).trim());
	try {
		return await run(scene);
	} finally {
		scene.close();
		await gateway.stop();
	}
}

/** A gateway that runs, asked as clients and as its operator ask it. */
export class Scene {
	readonly gateway: GatewayProcess;
	readonly #admin_token: string;
	readonly #agent = new Agent({ keepAlive: true });

	constructor(gateway: GatewayProcess, admin_token: string) {
		this.gateway = gateway;
		this.#admin_token = admin_token;
	}

	/** Milliseconds from sending this to the last byte of its answer, which is checked. */
	async ask(server: string, saying: Saying = modernCall()): Promise<number> {
		const body = saying.body.replace("$ID", "1");
		const started = performance.now();
		const { status, text } = await this.#send("POST", `/${server}/mcp`, saying.headers, body);
		const took_ms = performance.now() - started;
		if (status !== 200 || !text.includes(saying.marker)) {
			throw new Error(`${server} answered ${status}: ${text.slice(0, 500)}`);
		}
		return took_ms;
	}

	/** What a server answers, whatever it is. Rejects where there is no answer. */
	call(server: string, saying: Saying): Promise<{ status: number; text: string }> {
		return this.#send("POST", `/${server}/mcp`, saying.headers, saying.body.replace("$ID", "1"));
	}

	/** What the admin API says of one server. */
	async status(server: string): Promise<ServerStatus> {
		return (await this.admin("GET", `/api/servers/${server}`)) as ServerStatus;
	}

	/** What the admin API says of all servers. */
	async statuses(): Promise<readonly ServerStatus[]> {
		const { servers } = (await this.admin("GET", "/api/servers")) as { servers: ServerStatus[] };
		return servers;
	}

	/**
	 * Resolves once every server is as wanted: nothing tells of every change. To be asked costs the
	 * gateway something too, which counts where it is what is measured.
	 */
	async until(
		what: string,
		wanted: (status: ServerStatus) => boolean,
		again_ms = look_again_ms,
	): Promise<void> {
		const started = performance.now();
		for (;;) {
			const odd = (await this.statuses()).filter((status) => !wanted(status));
			if (odd.length === 0) return;
			if (performance.now() - started > wait_ms_max) {
				throw new Error(`not all ${what} after ${wait_ms_max} ms: ${JSON.stringify(odd[0])}`);
			}
			await setTimeout(again_ms);
		}
	}

	/** Resolves once every server is in this state. */
	async untilAll(state: ServerStatus["state"]): Promise<void> {
		await this.until(state, (status) => status.state === state);
	}

	/** One request to the admin API; what it answers. */
	async admin(method: string, path: string, body?: object): Promise<unknown> {
		const headers = {
			authorization: `Bearer ${this.#admin_token}`,
			...(body === undefined ? {} : { "content-type": "application/json" }),
		};
		const sent = body === undefined ? undefined : JSON.stringify(body);
		const { status, text } = await this.#send(method, path, headers, sent);
		if (status >= 300) throw new Error(`${method} ${path} answered ${status}: ${text}`);
		return JSON.parse(text);
	}

	/** Ends the connections of the client; further requests open others. */
	close(): void {
		this.#agent.destroy();
	}

	#send(
		method: string,
		path: string,
		headers: Readonly<Record<string, string>>,
		body: string | undefined,
	): Promise<{ status: number; text: string }> {
		return new Promise((resolve, reject) => {
			const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
			const options = {
				...{ host: "127.0.0.1", port: this.gateway.port, agent: this.#agent },
				...{ method, path, headers: { ...headers, ...length } },
			};
			const sent = request(options, (response) => {
				let text = "";
				response.setEncoding("utf8");
				response.on("data", (chunk: string) => {
					text += chunk;
				});
				response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
				response.on("error", reject);
			});
			sent.on("error", reject);
			sent.end(body);
		});
	}
}
