import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** The mark that stands in everything of one client; see `ownerMark`. */
const mark_pattern = /owner-(\d+)\./g;
const mark_length_max = 16;

/** What every request and every result of a client carries, and nobody else's may. */
export function ownerMark(client: number): string {
	return `owner-${client}.`;
}

/**
 * The network between one client and the gateway. It can be cut and slowed down, and it reads
 * along: marks of other clients in what the gateway sends are kept in `foreign`.
 */
export class Wire {
	readonly foreign: string[] = [];
	cuts = 0;
	readonly #client: number;
	readonly #port: number;
	readonly #server: Server;
	readonly #pairs = new Set<{ near: Socket; far: Socket }>();
	#slow = false;

	private constructor(client: number, port: number) {
		this.#client = client;
		this.#port = port;
		this.#server = createServer((near) => this.#join(near));
	}

	/** Listens on a free port and forwards to `port`, whoever listens there at the time. */
	static async open(client: number, port: number): Promise<Wire> {
		const wire = new Wire(client, port);
		wire.#server.listen(0, "127.0.0.1");
		await once(wire.#server, "listening");
		return wire;
	}

	address(path: string): URL {
		return new URL(path, `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
	}

	/** Breaks every connection there is. */
	cut(): void {
		for (const { near, far } of this.#pairs) {
			this.cuts += 1;
			near.resetAndDestroy();
			far.resetAndDestroy();
		}
	}

	/** Reads nothing from the gateway until `hurry`. */
	dawdle(): void {
		this.#slow = true;
		for (const { far } of this.#pairs) far.pause();
	}

	hurry(): void {
		this.#slow = false;
		for (const { far } of this.#pairs) far.resume();
	}

	async close(): Promise<void> {
		this.#server.close();
		this.cut();
		await once(this.#server, "close");
	}

	#join(near: Socket): void {
		const far = connect(this.#port, "127.0.0.1");
		const pair = { near, far };
		this.#pairs.add(pair);
		const part = () => {
			this.#pairs.delete(pair);
			near.destroy();
			far.destroy();
		};
		let rest = "";
		near.on("data", (chunk) => far.write(chunk));
		far.on("data", (chunk) => {
			rest = this.#inspect(rest + chunk.toString("latin1"));
			near.write(chunk);
		});
		near.on("end", () => far.end());
		far.on("end", () => near.end());
		for (const socket of [near, far]) socket.on("error", part).on("close", part);
		if (this.#slow) far.pause();
	}

	/** Looks for marks of others; returns what may be the beginning of one. */
	#inspect(text: string): string {
		for (const [found, client] of text.matchAll(mark_pattern)) {
			if (Number(client) !== this.#client) this.foreign.push(found);
		}
		return text.slice(-mark_length_max);
	}
}
