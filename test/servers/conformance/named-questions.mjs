/** Where a question carries its name until it is sent; it never reaches the wire. */
export const name_key = "fixture/name";

/**
 * A transport that sends a question under the name it has as its JSON-RPC id. SDK 1.x numbers its
 * requests, but any string is an id, and a name is what the scenarios look for.
 */
export class NamedQuestions {
	#inner;
	/** The SDK's number by the name in its place. */
	#numbers = new Map();
	onmessage;

	constructor(inner) {
		this.#inner = inner;
		inner.onmessage = (message, extra) => this.onmessage?.(this.#renumbered(message), extra);
		inner.onclose = () => this.onclose?.();
		inner.onerror = (error) => this.onerror?.(error);
	}

	get sessionId() {
		return this.#inner.sessionId;
	}

	start() {
		return this.#inner.start();
	}

	close() {
		return this.#inner.close();
	}

	send(message, options) {
		return this.#inner.send(this.#named(message), options);
	}

	#named(message) {
		const name = message.params?._meta?.[name_key];
		if (name === undefined) return message;
		const { _meta, ...params } = message.params;
		// The same question may be open in another call.
		const id = this.#numbers.has(name) ? `${name}.${message.id}` : name;
		this.#numbers.set(id, message.id);
		return { ...message, id, params };
	}

	#renumbered(message) {
		const number = this.#numbers.get(message.id);
		if (message.method !== undefined || number === undefined) return message;
		this.#numbers.delete(message.id);
		return { ...message, id: number };
	}
}
