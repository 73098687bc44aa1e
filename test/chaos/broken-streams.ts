/**
 * Tells a modern client that the stream of its call broke. In that era nothing can be resumed,
 * so the broken stream is the end of the call (2026-07-28, transports); the SDK leaves the call
 * to its timeout.
 */
export class BrokenStreams {
	readonly #calls = new Map<string, (error: Error) => void>();

	/** Rejects when the stream of the call with this `id` argument breaks; else never settles. */
	of(id: string): Promise<never> {
		return new Promise((_resolve, reject) => this.#calls.set(id, reject));
	}

	/** To be used by the transport. */
	readonly fetch = async (url: string | URL, init?: RequestInit): Promise<Response> => {
		const response = await fetch(url, init);
		const id = callIn(init?.body);
		if (id === undefined || response.body === null) return response;
		const reader = response.body.getReader();
		const watched = new ReadableStream<Uint8Array>({
			pull: async (controller) => {
				try {
					const { value, done } = await reader.read();
					if (done) controller.close();
					else controller.enqueue(value);
				} catch (error) {
					controller.error(error);
					// What had arrived is read first: it may be the answer.
					setImmediate(() =>
						this.#calls.get(id)?.(new Error("stream terminated", { cause: error })),
					);
				}
			},
			cancel: (reason) => reader.cancel(reason),
		});
		const { status, statusText, headers } = response;
		return new Response(watched, { status, statusText, headers });
	};
}

/** The `id` argument of the tool call in a request's body. */
function callIn(body: unknown): string | undefined {
	if (typeof body !== "string") return undefined;
	const message = JSON.parse(body) as { params?: { arguments?: { id?: string } } };
	return message.params?.arguments?.id;
}
