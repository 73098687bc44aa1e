import type { WireReply } from "./peer.ts";

/** The part of every SDK transport that a tap needs. */
export interface TappedTransport {
	onmessage?: ((message: never, ...rest: never[]) => void) | undefined;
	send(message: never): Promise<void>;
}

/**
 * Sends messages of its own over the transport of a connected client and takes their replies
 * before the client sees them: for requests that the SDK's schemas would not let through.
 */
export class WireTap {
	readonly #transport: TappedTransport;
	readonly #waiting = new Map<string, (reply: WireReply) => void>();
	#next_id = 1;

	constructor(transport: TappedTransport) {
		this.#transport = transport;
		const inner = transport.onmessage as
			| ((message: unknown, ...rest: unknown[]) => void)
			| undefined;
		transport.onmessage = ((message: { id?: unknown }, ...rest: unknown[]) => {
			const take = this.#waiting.get(String(message.id));
			if (take === undefined) inner?.(message, ...rest);
			else take(message as WireReply);
		}) as never;
	}

	/** Sends a request and resolves with its reply. */
	async request(method: string, params: object): Promise<WireReply> {
		const id = `wire-${this.#next_id}`;
		this.#next_id += 1;
		const { promise, resolve } = Promise.withResolvers<WireReply>();
		this.#waiting.set(id, resolve);
		try {
			const sent = this.#transport.send({ jsonrpc: "2.0", id, method, params } as never);
			// A transport may carry the reply of a refused request in the error of its send.
			const refused = sent.then(
				() => promise,
				(error: unknown) => replyIn(error),
			);
			return await Promise.race([promise, refused]);
		} finally {
			this.#waiting.delete(id);
		}
	}
}

/** The JSON-RPC error inside the error of an HTTP transport. */
function replyIn(error: unknown): WireReply {
	const text = error instanceof Error ? error.message : String(error);
	const body = (error as { data?: { text?: string } }).data?.text ?? text;
	const start = body.indexOf('{"jsonrpc"');
	if (start < 0) throw error;
	return JSON.parse(body.slice(start)) as WireReply;
}
