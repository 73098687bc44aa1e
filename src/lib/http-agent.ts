import type { Agent, Dispatcher } from "undici";
import type { HttpRequest } from "./http-client.ts";

/** Connections of one's own, made as requests need them, and kept until it is closed. */
export class HttpAgent {
	readonly #options: Agent.Options;
	#agent: Agent | undefined;
	#closed = false;

	constructor(options: Agent.Options) {
		this.#options = options;
	}

	/** Sends one request; resolves with the head of its answer, and a body that is to be read. */
	async request(address: string | URL, options: HttpRequest): Promise<Dispatcher.ResponseData> {
		const { Agent, requestOver } = await import("./http-client.ts");
		if (this.#closed) throw new Error("the connections are closed");
		this.#agent ??= new Agent(this.#options);
		return await requestOver(this.#agent, address, options);
	}

	/** Breaks off what is under way, and closes the connections. */
	async close(): Promise<void> {
		this.#closed = true;
		await this.#agent?.destroy();
	}
}
