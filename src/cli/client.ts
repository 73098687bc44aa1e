import type { Dispatcher } from "undici";
import type { z } from "zod";
import type { LogLine, ProblemDetails } from "../admin/contract.ts";
import { log_line_schema, problem_schema } from "../admin/contract.ts";
import { type Operation, type OperationId, operations } from "../admin/operations.ts";
import { HttpAgent } from "../lib/http-agent.ts";
import { SseReader } from "../wire/sse.ts";
import { exit_codes } from "./exit-codes.ts";
import { CommandFailure } from "./failure.ts";

/** Where a running gateway is and what opens its admin API. */
export interface GatewayAddress {
	/** Base URL without a slash at the end. */
	readonly url: string;
	readonly token: string;
}

type Reply<Id extends OperationId> = (typeof operations)[Id] extends { reply: infer Schema }
	? Schema extends z.ZodType
		? z.infer<Schema>
		: never
	: never;

/** What an operation is called with. */
export interface ClientRequest {
	/** Values for the parts of the path. */
	readonly path?: Readonly<Record<string, string>>;
	readonly query?: Readonly<Record<string, string>>;
	/** Raw JSON. */
	readonly body?: string;
	readonly headers?: Readonly<Record<string, string>>;
	readonly signal?: AbortSignal;
	/** How long the answer may take; 0 waits as long as the gateway does. */
	readonly wait_ms?: number;
}

/** A reply, as it came and as a value. */
export interface ClientReply<Value> {
	/** The raw JSON, for what is passed on byte for byte. */
	readonly text: string;
	readonly value: Value;
}

/** Longer than starting a server, or installing its package, may take. */
const wait_default_ms = 10 * 60_000;
const event_bytes_max = 1024 * 1024;

/** A typed client for the admin API of one running gateway. Failures are `CommandFailure`s. */
export class AdminClient {
	readonly #address: GatewayAddress;
	readonly #agent: HttpAgent;

	constructor(address: GatewayAddress) {
		this.#address = address;
		this.#agent = new HttpAgent({ connect: { timeout: 5_000 } });
	}

	get url(): string {
		return this.#address.url;
	}

	/** Performs an operation. What the gateway refuses is a failure with its own words. */
	async request<Id extends OperationId>(
		id: Id,
		options: ClientRequest = {},
	): Promise<ClientReply<Reply<Id>>> {
		const response = await this.#send(id, options);
		const text = await this.#reading(response.body.text());
		if (response.statusCode >= 300) throw refusal(response.statusCode, text);
		const { reply } = operations[id] as Operation;
		const parsed = reply?.safeParse(parseJson(text));
		if (parsed === undefined || !parsed.success) throw this.#strange();
		return { text: text.trimEnd(), value: parsed.data as Reply<Id> };
	}

	/** Gives a server's last lines and then every further one, until the signal aborts. */
	async followLog(
		server: string,
		options: {
			readonly tail: number;
			readonly signal: AbortSignal;
			onLine(line: LogLine): void;
			/** Lines that were left out because they were read too slowly. */
			onDropped(lines: number): void;
		},
	): Promise<void> {
		const response = await this.#send("getLogs", {
			path: { name: server },
			query: { follow: "1", tail: String(options.tail) },
			signal: options.signal,
			wait_ms: 0,
		});
		if (response.statusCode >= 300) {
			throw refusal(response.statusCode, await this.#reading(response.body.text()));
		}
		const reader = new SseReader({
			event_bytes_max,
			onEvent(event) {
				const value = parseJson(event.data.toString("utf8"));
				if (event.event === "line") {
					const line = log_line_schema.safeParse(value);
					if (line.success) options.onLine(line.data);
				} else if (event.event === "dropped") {
					options.onDropped(Number((value as { lines?: unknown } | undefined)?.lines));
				}
			},
			onRetry: () => undefined,
			onOversize: () => undefined,
		});
		try {
			for await (const chunk of response.body) reader.push(chunk as Buffer);
		} catch (error) {
			if (!options.signal.aborted) throw this.#unreachable(error);
		}
	}

	/** Lets go of the connections. */
	async close(): Promise<void> {
		await this.#agent.close();
	}

	async #send(id: OperationId, options: ClientRequest): Promise<Dispatcher.ResponseData> {
		const operation: Operation = operations[id];
		const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) =>
			encodeURIComponent(options.path?.[name] ?? ""),
		);
		const query = new URLSearchParams(options.query).toString();
		const wait_ms = options.wait_ms ?? wait_default_ms;
		const url = `${this.#address.url}${path}${query === "" ? "" : `?${query}`}`;
		const sending = this.#agent.request(url, {
			method: operation.method,
			headers: {
				authorization: `Bearer ${this.#address.token}`,
				...(options.body === undefined ? {} : { "content-type": "application/json" }),
				...options.headers,
			},
			headersTimeout: wait_ms,
			bodyTimeout: wait_ms,
			...(options.body === undefined ? {} : { body: options.body }),
			...(options.signal === undefined ? {} : { signal: options.signal }),
		});
		return await this.#reading(sending);
	}

	async #reading<Value>(work: Promise<Value>): Promise<Value> {
		try {
			return await work;
		} catch (error) {
			throw (error as Error).name === "AbortError" ? interrupted() : this.#unreachable(error);
		}
	}

	#unreachable(error: unknown): CommandFailure {
		const { code, message } = error as NodeJS.ErrnoException;
		return new CommandFailure({
			exit_code: exit_codes.no_gateway,
			code: "gateway_unreachable",
			message: `The gateway at ${this.#address.url} does not answer (${code ?? message}).`,
			next: "See whether it still runs: moorage status",
		});
	}

	#strange(): CommandFailure {
		return new CommandFailure({
			exit_code: exit_codes.failed,
			code: "gateway_strange",
			message: `What answers at ${this.#address.url} is not a Moorage gateway of this version.`,
			next: "Restart the gateway with this version: moorage up",
		});
	}
}

/** The failure of a command that was stopped by Ctrl-C. */
export function interrupted(): CommandFailure {
	return new CommandFailure({
		exit_code: exit_codes.interrupted,
		code: "interrupted",
		message: "Interrupted.",
	});
}

function refusal(status: number, text: string): CommandFailure {
	const parsed = problem_schema.safeParse(parseJson(text));
	if (!parsed.success) {
		return new CommandFailure({
			exit_code: exit_codes.failed,
			code: "gateway_strange",
			message: `The gateway answered with HTTP status ${status}.`,
			next: "See whether another program listens there: moorage status",
		});
	}
	const problem: ProblemDetails = parsed.data;
	return new CommandFailure({
		exit_code: exitCodeOf(problem.code),
		code: problem.code,
		message: problem.detail,
		next: problem.next,
		config: problem.config,
	});
}

function exitCodeOf(code: string): number {
	if (code === "config_refused" || code === "config_missing") return exit_codes.cannot_start;
	return code === "gateway_stopping" ? exit_codes.no_gateway : exit_codes.failed;
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
