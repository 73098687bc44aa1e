/**
 * The clients: so many connections, each with one request under way, on bare sockets so that the
 * clients take little of the machine. A process of its own, told what to do over its IPC channel,
 * one load at a time. Every load has an end, and so has the process: that of its parent.
 */
import { connect } from "node:net";

/** No load is longer, whatever is asked for. */
const load_ms_max = 10_000;
const look_again_ms = 50;
/** Latencies kept in one load; further ones are counted only. */
const samples_max = 1_000_000;
const head_end = "\r\n\r\n";
const chunks_end = "0\r\n\r\n";
const first_id = 100_000_000;

/** One load while it runs. */
class Load {
	constructor(options) {
		const { path, paths = [path], headers, body, sessions = [] } = options;
		const [before, after] = body.split("$ID");
		const length = Buffer.byteLength(body) - "$ID".length + String(first_id).length;
		const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
		this.heads = paths.map(
			(one) =>
				`POST ${one} HTTP/1.1\r\nhost: 127.0.0.1:${options.port}\r\n${lines.join("")}` +
				`content-length: ${length}`,
		);
		this.next_head = 0;
		this.begin = `${head_end}${before}`;
		this.sessions = sessions.map((id) => `\r\nmcp-session-id: ${id}`);
		this.next_session = 0;
		this.idle = [];
		this.due = [];
		this.tail = after;
		this.options = options;
		this.next_id = first_id;
		this.sockets = [];
		this.stopping = false;
		this.restart();
	}

	/** Forgets what was counted: the warm-up is over. */
	restart() {
		this.calls = 0;
		this.errors = 0;
		this.problem = undefined;
		this.latencies = [];
		this.started = performance.now();
	}

	/** Opens the connections and keeps each busy. */
	open() {
		for (let index = 0; index < this.options.connections; index += 1) {
			const socket = connect({ port: this.options.port, host: "127.0.0.1", noDelay: true });
			this.sockets.push(socket);
			this.drive(socket);
		}
		if (this.options.rate !== undefined) this.arrive();
	}

	/** An open loop: calls fall due at their rate, whether or not a connection is free for them. */
	arrive() {
		const { rate } = this.options;
		const began = performance.now();
		let arrived = 0;
		this.ticker = setInterval(() => {
			const wanted = ((performance.now() - began) / 1000) * rate;
			for (; arrived < wanted; arrived += 1) this.due.push(began + (arrived * 1000) / rate);
			while (this.due.length > 0 && this.idle.length > 0) this.idle.pop()();
		}, 1);
	}

	/** The beginning of a request to the address that has its turn. */
	head() {
		this.next_head = (this.next_head + 1) % this.heads.length;
		return this.heads[this.next_head];
	}

	/** The session that has its turn, as a header line. */
	session() {
		if (this.sessions.length === 0) return "";
		this.next_session = (this.next_session + 1) % this.sessions.length;
		return this.sessions[this.next_session];
	}

	drive(socket) {
		let received = "";
		let sent_at = 0;
		let id = "";
		const send = () => {
			if (this.stopping) return;
			sent_at = performance.now();
			if (this.options.rate !== undefined) {
				const due = this.due.shift();
				if (due === undefined) {
					this.idle.push(send);
					return;
				}
				// From when it fell due: to wait for a connection is part of its time.
				sent_at = due;
			}
			this.next_id += 1;
			id = String(this.next_id);
			socket.write(`${this.head()}${this.session()}${this.begin}${id}${this.tail}`, "latin1");
		};
		socket.setEncoding("latin1");
		socket.on("connect", send);
		socket.on("data", (chunk) => {
			received = received === "" ? chunk : received + chunk;
			const body = wholeBody(received);
			if (body === undefined) return;
			this.count(received, body, id, performance.now() - sent_at);
			received = "";
			send();
		});
		socket.on("error", (error) => this.fail(String(error)));
		socket.on("close", () => {
			if (!this.stopping) this.fail("the connection was closed");
		});
	}

	count(response, body, id, latency_ms) {
		if (this.stopping) return;
		const right = response.startsWith("HTTP/1.1 200") && body.includes(`"id":${id}`);
		if (!right || !body.includes(this.options.marker)) {
			this.fail(response.slice(0, 1000));
			return;
		}
		this.calls += 1;
		if (this.latencies.length < samples_max) this.latencies.push(latency_ms);
	}

	fail(problem) {
		this.errors += 1;
		this.problem ??= problem;
	}

	/** What was counted since the last restart; ends the load. */
	finish() {
		this.stopping = true;
		clearInterval(this.ticker);
		const seconds = (performance.now() - this.started) / 1000;
		for (const socket of this.sockets) socket.destroy();
		const sorted = Float64Array.from(this.latencies).sort();
		const at = (share) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
		const { calls, errors, problem } = this;
		return {
			calls,
			errors,
			problem,
			seconds,
			p50_ms: at(0.5),
			p99_ms: at(0.99),
			p999_ms: at(0.999),
		};
	}
}

/** The body of a response that has arrived whole. */
function wholeBody(received) {
	const end = received.indexOf(head_end);
	if (end < 0) return undefined;
	const length = /\r\ncontent-length: (\d+)/i.exec(received.slice(0, end));
	const body = received.slice(end + head_end.length);
	if (length === null) return body.endsWith(chunks_end) ? body : undefined;
	return body.length >= Number(length[1]) ? body : undefined;
}

process.on("message", (options) => {
	const load = new Load(options);
	load.open();
	setTimeout(() => warmed(load, options), options.warm_ms);
});

/** The warm-up is over after its time and its calls, however slow the machine is at them. */
function warmed(load, { warm_calls, run_ms }) {
	const waited_ms = performance.now() - load.started;
	if (load.calls + load.errors < warm_calls && waited_ms < load_ms_max) {
		setTimeout(() => warmed(load, { warm_calls, run_ms }), look_again_ms);
		return;
	}
	load.restart();
	process.send({ kind: "measuring" });
	setTimeout(() => process.send({ kind: "done", ...load.finish() }), Math.min(run_ms, load_ms_max));
}

process.on("disconnect", () => process.exit(0));
