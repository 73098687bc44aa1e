/**
 * The server half of MCP written on the wire: one peer is one connection (a process, an HTTP
 * session) or, in the modern era over HTTP, one request. It parses what it receives but writes
 * every reply as raw JSON text, so that a fixture decides each byte that leaves it.
 */

const legacy_revisions = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05", "2024-10-07"];
const modern_revisions = ["2026-07-28"];
const version_key = "io.modelcontextprotocol/protocolVersion";
const info_key = "io.modelcontextprotocol/serverInfo";

/** One request a fixture is working on. */
export class CallContext {
	#peer;
	/** @param {Peer} peer @param {object} message the parsed request @param {Buffer} bytes */
	constructor(peer, message, bytes) {
		this.#peer = peer;
		this.message = message;
		this.bytes = bytes;
		this.id = JSON.stringify(message.id);
		this.arguments = message.params?.arguments ?? {};
		this.meta = message.params?._meta ?? {};
		this.peer = peer;
		this.cancelled = new Promise((resolve) => {
			this.cancel = resolve;
		});
	}

	/** Sends a notification that belongs to this call; `params` is raw JSON. */
	notify(method, params) {
		this.#peer.send(`{"jsonrpc":"2.0","method":"${method}","params":${params}}`, this);
	}

	/** Sends a progress notification, if the client asked for progress. */
	progress(progress, total, message) {
		if (this.meta.progressToken === undefined) return;
		const params = { progressToken: this.meta.progressToken, progress, total, message };
		this.notify("notifications/progress", JSON.stringify(params));
	}

	/** Sends a request to the client and resolves with its whole parsed response. */
	ask(method, params) {
		return this.#peer.ask(method, params, this);
	}

	/** Resolves when the transport takes more: at once, unless its other side reads too slowly. */
	async drained() {
		await this.peer.drained?.(this);
	}

	/** Writes text as it is: a line on stdio, the data of an event over HTTP. */
	raw(text) {
		this.#peer.send(text, this);
	}
}

/** One connection. `send(text, call)` hands a message to the transport. */
export class Peer {
	#behaviour;
	#options;
	#asked = new Map();
	#calls = new Map();
	#next_id = 0;

	/** @param behaviour see serve.mjs @param options `{ era, revision, send }` */
	constructor(behaviour, options) {
		this.#behaviour = behaviour;
		this.#options = options;
		this.send = options.send;
		this.drained = options.drained;
	}

	/** Handles one message. Returns the call's context for a request. */
	receive(bytes) {
		const message = JSON.parse(bytes.toString("utf8"));
		if (message.method === undefined) {
			this.#asked.get(message.id)?.(message);
			this.#asked.delete(message.id);
			return undefined;
		}
		if (message.id === undefined) {
			this.#notified(message);
			return undefined;
		}
		const call = new CallContext(this, message, bytes);
		this.#calls.set(call.id, call);
		void this.#answer(call);
		return call;
	}

	/** Sends a notification that belongs to no call. */
	push(method, params) {
		this.send(`{"jsonrpc":"2.0","method":"${method}","params":${params}}`, undefined);
	}

	/** Sends a request; resolves with the parsed response. */
	ask(method, params, call) {
		this.#next_id += 1;
		const id = `ask-${this.#next_id}`;
		const answered = new Promise((resolve) => this.#asked.set(id, resolve));
		this.send(`{"jsonrpc":"2.0","id":"${id}","method":"${method}","params":${params}}`, call);
		return Object.assign(answered, { id });
	}

	#notified(message) {
		if (message.method === "notifications/cancelled") {
			this.#calls.get(JSON.stringify(message.params.requestId))?.cancel("cancelled");
		}
		this.#behaviour.notified?.(message, this);
	}

	async #answer(call) {
		let outcome;
		try {
			outcome = this.#dispatch(call);
			// Only a promise is awaited: a synchronous reply leaves in the turn of its request.
			if (outcome instanceof Promise) outcome = await outcome;
		} catch (error) {
			outcome = { error: JSON.stringify({ code: -32603, message: String(error) }) };
		}
		this.#calls.delete(call.id);
		if (outcome === undefined) return;
		const body =
			typeof outcome === "string"
				? `"result":${this.#stamped(outcome)}`
				: `"error":${outcome.error}`;
		this.send(`{"jsonrpc":"2.0","id":${call.id},${body}}`, call, true);
	}

	/** The modern envelope of a result, for fixtures that write legacy results. */
	#stamped(json) {
		if (!this.#isModern() || json.includes('"resultType"')) return json;
		const type = '"resultType":"complete","ttlMs":0,"cacheScope":"private"';
		return json === "{}" ? `{${type}}` : `{${type},${json.slice(1)}`;
	}

	#isModern() {
		return this.#options.era === "modern" || this.spoken === "modern";
	}

	#dispatch(call) {
		const { method, params } = call.message;
		const claimed = call.meta[version_key];
		const { era } = this.#options;
		if (era !== "legacy" && claimed !== undefined) this.spoken = "modern";
		if (era === "modern" || (era === "dual" && claimed !== undefined)) {
			if (!modern_revisions.includes(claimed))
				return unsupported(claimed ?? params?.protocolVersion);
		} else if (method === "initialize") {
			return this.#initialize(params);
		} else if (method === "ping") {
			return "{}";
		}
		if (method === "server/discover" && this.#isModern()) return this.#discover();
		return this.#behaviour.handle(call) ?? methodNotFound(method);
	}

	#initialize(params) {
		const { revision } = this.#options;
		const known = legacy_revisions.includes(params.protocolVersion);
		const agreed = revision ?? (known ? params.protocolVersion : legacy_revisions[0]);
		this.client_capabilities = params.capabilities;
		return (
			`{"protocolVersion":"${agreed}","capabilities":${this.#behaviour.capabilities},` +
			`"serverInfo":${this.#info()},"instructions":"A fixture."}`
		);
	}

	#discover() {
		return (
			`{"resultType":"complete","supportedVersions":${JSON.stringify(modern_revisions)},` +
			`"capabilities":${this.#behaviour.capabilities},"instructions":"A fixture.",` +
			`"ttlMs":0,"cacheScope":"private","_meta":{"${info_key}":${this.#info()}}}`
		);
	}

	#info() {
		return `{"name":"${this.#behaviour.name}","version":"1.0.0","x-unknown":1.0}`;
	}
}

function unsupported(requested) {
	const data = { supported: modern_revisions, requested: requested ?? "unknown" };
	const error = { code: -32022, message: "Unsupported protocol version", data };
	return { error: JSON.stringify(error) };
}

function methodNotFound(method) {
	return { error: JSON.stringify({ code: -32601, message: `Method not found: ${method}` }) };
}
