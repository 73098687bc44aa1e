import type { StdioSpec } from "../../config/plan.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";
import type { Fault } from "../../protocol/fault.ts";
import type { Edit, Message } from "../../wire/message.ts";
import type {
	Driver,
	DriverContext,
	Hello,
	Hibernation,
	Isolation,
	Upstream,
	UpstreamRequest,
} from "../driver.ts";
import { envelopeOf } from "../handshake.ts";
import { type Envelope, withEnvelope } from "../outgoing.ts";
import type { Outcome } from "../pending.ts";
import type { StdioConnection } from "./connection.ts";
import { openProgram } from "./open.ts";

/** Programs on this machine that speak MCP over their standard streams. */
export const stdioDriver: Driver<StdioSpec> = {
	kind: "stdio",

	async open(spec: StdioSpec, context: DriverContext): Promise<Result<Upstream, Fault>> {
		const opened = await openProgram(spec, context);
		if (!opened.ok) return opened;
		const { connection, hello } = opened.value;
		const { ended } = connection;
		if (ended !== undefined) {
			const exit_code = ended.exit_code ?? undefined;
			return fail(
				connection.faults.notStarted(`${ended.message} right after its handshake`, { exit_code }),
			);
		}
		connection.onGone = (reason) => context.onGone(reason);
		return succeed(new StdioUpstream(connection, hello, context));
	},
};

/** A program that has answered its handshake. */
class StdioUpstream implements Upstream {
	readonly hello: Hello;
	readonly #connection: StdioConnection;
	readonly #envelope: Envelope | undefined;

	constructor(connection: StdioConnection, hello: Hello, context: DriverContext) {
		this.#connection = connection;
		this.hello = hello;
		const modern = hello.era === "modern";
		this.#envelope = modern ? envelopeOf(context, hello.revision) : undefined;
	}

	get in_flight(): number {
		return this.#connection.in_flight;
	}

	get answers(): number {
		return this.#connection.answers;
	}

	get hibernation(): Hibernation | undefined {
		return this.#connection.hibernation;
	}

	get isolation(): Isolation | undefined {
		return this.#connection.isolation;
	}

	request(request: UpstreamRequest): Promise<Outcome> {
		if (this.#envelope === undefined) return this.#connection.request(request);
		return this.#connection.request(withEnvelope(request, this.#envelope));
	}

	notify(message: Message, edits: readonly Edit[]): void {
		this.#connection.notify(message, edits);
	}

	drain(wait_ms: number): Promise<void> {
		return this.#connection.drain(wait_ms);
	}

	close(): Promise<void> {
		return this.#connection.close();
	}
}
