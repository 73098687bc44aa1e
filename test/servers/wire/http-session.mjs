import { Peer } from "./peer.mjs";

/**
 * The streams of one session: the response of each POST that is still open, and the GET
 * stream. Every event has an id and is kept, so that a broken stream can be resumed.
 */
export class HttpSession {
	#host;
	#peer;
	#id;
	/** Raw request id -> `{ name, response, json, pending }`. */
	#streams = new Map();
	#get = { name: "get", response: undefined, pending: [] };
	#kept = [];
	#next_event = 0;

	constructor(host, { era, id }) {
		this.#host = host;
		this.#id = id;
		const { revision } = host.options;
		this.#peer = new Peer(host.behaviour, {
			era,
			revision,
			drained: (call) => this.#drained(call),
			send: (text, call, last) => this.#send(text, call, last === true),
		});
		host.behaviour.started?.(this.#peer);
		this.#peer.session = this;
	}

	/** Takes one POSTed message. `response` is its HTTP response. */
	post(bytes, response, is_request = true) {
		if (!is_request) {
			this.#peer.receive(bytes);
			response.writeHead(202).end();
			return undefined;
		}
		const id = JSON.stringify(JSON.parse(bytes.toString("utf8")).id);
		const json = this.#host.options.json === true;
		const stream = { name: id, response, json, started: false };
		this.#streams.set(id, stream);
		return this.#peer.receive(bytes);
	}

	/** Opens the GET stream, or resumes the stream that the event id belongs to. */
	open(last_event_id, response) {
		response.writeHead(200, this.#headers("text/event-stream"));
		response.flushHeaders();
		const last = this.#kept.find((event) => event.id === last_event_id);
		const stream = last === undefined ? this.#get : (this.#streams.get(last.name) ?? this.#get);
		stream.response = response;
		stream.started = true;
		this.#host.control.streams += 1;
		const missed = last === undefined ? [] : this.#kept.slice(this.#kept.indexOf(last) + 1);
		for (const event of missed) if (event.name === last.name) this.#write(stream, event);
		if (stream === this.#get) {
			// What was kept for a resumption has just been sent.
			const waiting = this.#get.pending.splice(0).filter((event) => !missed.includes(event));
			for (const event of waiting) this.#write(this.#get, event);
		}
		stream.resumed?.();
	}

	/** Breaks the stream of a call without its answer; it can be resumed. */
	breakStream(call) {
		const stream = this.#streams.get(call.id);
		stream.response.end();
		stream.response = undefined;
	}

	/** Resolves when the client has come back for the broken stream of a call. */
	resumed(call) {
		const stream = this.#streams.get(call.id);
		return new Promise((resolve) => {
			stream.resumed = resolve;
		});
	}

	/** Breaks the GET stream; pushes wait until the client has come back. */
	breakGet() {
		this.#get.response?.end("retry: 10\n\n");
		this.#get.response = undefined;
	}

	/** Breaks the connection under a call's response, as a crash would. */
	cut(call) {
		this.#streams.get(call.id).response.destroy();
	}

	/** An event without a message, which gives the client an id to resume from. */
	prime(call, retry_ms) {
		const stream = this.#streams.get(call.id);
		this.#start(stream);
		const event = this.#keep(stream.name, "");
		stream.response.write(`id: ${event.id}\nretry: ${retry_ms}\ndata:\n\n`);
	}

	/** Ends every stream of the session. */
	end() {
		this.#get.response?.end();
		for (const stream of this.#streams.values()) stream.response?.end();
	}

	#send(text, call, last) {
		const stream = call === undefined ? this.#get : this.#streams.get(call.id);
		if (stream === undefined) return;
		const status = this.#status(text);
		if (last && !stream.started && (stream.json || status !== 200)) {
			stream.response.writeHead(status, this.#headers("application/json"));
			stream.response.end(text);
			this.#streams.delete(stream.name);
			return;
		}
		const event = this.#keep(stream.name, text);
		event.last = last;
		if (stream === this.#get && stream.response === undefined) this.#get.pending.push(event);
		if (stream.response === undefined) return;
		this.#start(stream);
		this.#write(stream, event);
	}

	/** Waits while the connection of a call's stream takes no more. */
	async #drained(call) {
		const response = this.#streams.get(call.id)?.response;
		if (response?.writableNeedDrain !== true) return;
		await new Promise((resolve) => {
			response.once("drain", resolve);
			response.once("close", resolve);
		});
	}

	#start(stream) {
		if (stream.started) return;
		stream.started = true;
		if (stream.response.headersSent) return;
		stream.response.writeHead(200, this.#headers("text/event-stream"));
	}

	/** The modern era ties a few errors to a status. */
	#status(text) {
		if (this.#id !== undefined || this.#host.options.era === "legacy") return 200;
		const code = /^\{"jsonrpc":"2\.0","id":[^,]*,"error":\{"code":(-?\d+)/.exec(text)?.[1];
		return { "-32601": 404, "-32022": 400 }[code] ?? 200;
	}

	#keep(name, text) {
		this.#next_event += 1;
		const event = { id: `event-${this.#next_event}`, name, text, last: false };
		this.#kept.push(event);
		if (this.#kept.length > 1000) this.#kept.shift();
		return event;
	}

	#write(stream, event) {
		stream.response.write(`id: ${event.id}\nevent: message\ndata: ${event.text}\n\n`);
		if (!event.last) return;
		stream.response.end();
		this.#streams.delete(stream.name);
	}

	#headers(content_type) {
		const session = this.#id === undefined ? {} : { "mcp-session-id": this.#id };
		return { "content-type": content_type, "cache-control": "no-cache", ...session };
	}
}
