import type { IncomingMessage, RequestOptions } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock } from "../../lib/clock.ts";
import { node_http } from "../../lib/node-http.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";
import type { EngineAddress } from "./addresses.ts";
import type { EngineProblem } from "./engine-problem.ts";

/** Longest answer that is read whole. */
const answer_bytes_max = 8 * 1024 * 1024;

/** One request to an engine. */
export interface EngineRequest {
	readonly method: "GET" | "POST" | "DELETE";
	/** With its query, and without a version. */
	readonly path: string;
	/** Sent as JSON. */
	readonly body?: object | undefined;
	/** Longest time until the whole answer is there; undefined waits for ever. */
	readonly wait_ms: number | undefined;
	readonly signal?: AbortSignal | undefined;
	/** Told each part of the answer as it comes; then nothing is collected. */
	onData?(bytes: Buffer): void;
}

/** What an engine answered. */
export interface EngineAnswer {
	readonly status: number;
	readonly headers: IncomingMessage["headers"];
	readonly body: Buffer;
}

/** One connection a request: engines end idle ones whenever they like, and the socket is near. */
export class EngineConnection {
	readonly #address: EngineAddress;
	readonly #clock: Clock;

	constructor(address: EngineAddress, clock: Clock) {
		this.#address = address;
		this.#clock = clock;
	}

	/** Sends a request and reads its answer. Never rejects. */
	send(asked: EngineRequest): Promise<Result<EngineAnswer, EngineProblem>> {
		const { promise, resolve } = Promise.withResolvers<Result<EngineAnswer, EngineProblem>>();
		const body = asked.body === undefined ? undefined : Buffer.from(JSON.stringify(asked.body));
		const sent = node_http.request(
			{ ...this.#options(asked), headers: headersOf(body) },
			(response) => {
				void readAnswer(response, asked.onData).then(done);
			},
		);
		const done = (outcome: Result<EngineAnswer, EngineProblem>) => {
			timer?.cancel();
			resolve(outcome);
			sent.destroy();
		};
		const { wait_ms } = asked;
		const timer =
			wait_ms === undefined
				? undefined
				: this.#clock.after(wait_ms, () => done(broken(`no answer within ${wait_ms / 1000} s`)));
		sent.on("error", (error) => done(broken(codeOf(error))));
		sent.end(body);
		return promise;
	}

	/** Turns a request into a connection of its own, as attaching to a container does. */
	upgrade(asked: EngineRequest): Promise<Result<Duplex, EngineProblem>> {
		const { promise, resolve } = Promise.withResolvers<Result<Duplex, EngineProblem>>();
		const headers = { connection: "Upgrade", upgrade: "tcp", "content-length": "0" };
		const sent = node_http.request({ ...this.#options(asked), headers }, (response) => {
			void readAnswer(response, undefined).then((answer) => {
				timer.cancel();
				resolve(answer.ok ? broken("it did not open a stream") : answer);
			});
		});
		const timer = this.#clock.after(asked.wait_ms ?? 0, () => {
			resolve(broken("no stream in time"));
			sent.destroy();
		});
		sent.on("upgrade", (_response, socket: Duplex, head: Buffer) => {
			timer.cancel();
			// What came in one packet with the answer belongs to the stream.
			if (head.length > 0) socket.unshift(head);
			resolve(succeed(socket));
		});
		sent.on("error", (error) => {
			timer.cancel();
			resolve(broken(codeOf(error)));
		});
		sent.end();
		return promise;
	}

	#options({ method, path, signal }: EngineRequest): RequestOptions {
		const address = this.#address;
		const where = "socket" in address ? { socketPath: address.socket } : address;
		return { ...where, method, path, agent: false, ...(signal && { signal }) };
	}
}

function headersOf(body: Buffer | undefined): Record<string, string | number> {
	// The name is not looked at over a socket, but HTTP/1.1 wants one.
	const host = { host: "engine" };
	if (body === undefined) return { ...host, "content-length": 0 };
	return { ...host, "content-type": "application/json", "content-length": body.length };
}

async function readAnswer(
	response: IncomingMessage,
	onData: ((bytes: Buffer) => void) | undefined,
): Promise<Result<EngineAnswer, EngineProblem>> {
	const status = response.statusCode ?? 0;
	const parts: Buffer[] = [];
	let length = 0;
	try {
		for await (const part of response as AsyncIterable<Buffer>) {
			if (onData !== undefined && status < 300) {
				onData(part);
				continue;
			}
			length += part.length;
			if (length > answer_bytes_max) return broken("its answer is too long");
			parts.push(part);
		}
	} catch (error) {
		return broken(codeOf(error));
	}
	const body = Buffer.concat(parts);
	if (status < 400) return succeed({ status, headers: response.headers, body });
	return fail({ kind: "refused", status, message: messageOf(body) });
}

/** Engines refuse with `{"message": "..."}`. */
function messageOf(body: Buffer): string {
	const text = body.toString("utf8").trim();
	try {
		const { message } = JSON.parse(text) as { message?: unknown };
		return typeof message === "string" ? message : text;
	} catch {
		return text;
	}
}

function broken(detail: string): { readonly ok: false; readonly problem: EngineProblem } {
	return fail({ kind: "broken", detail });
}

function codeOf(error: unknown): string {
	const { code, message } = error as NodeJS.ErrnoException;
	return code ?? message;
}
