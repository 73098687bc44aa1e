import { fail, type Result, succeed } from "../../src/lib/result.ts";
import { type Fault, type FaultCode, makeFault } from "../../src/protocol/fault.ts";
import type { Hello, Upstream, UpstreamRequest } from "../../src/upstreams/driver.ts";
import { indexMessage } from "../../src/wire/index-message.ts";
import type { Message } from "../../src/wire/message.ts";
import { SeededRandom } from "./seeded-random.ts";

/** What a list request is answered with: raw JSON of a result or an error, or a fault. */
export type ListReply =
	| { readonly result: string }
	| { readonly error: string }
	| { readonly fault: FaultCode };

/** A request as it was sent. */
export interface Asked {
	readonly method: string;
	readonly params: Record<string, unknown> | undefined;
}

/** An upstream that answers lists as a test tells it to, when the test lets it. */
export class ListUpstream implements Upstream {
	readonly hello: Hello;
	readonly in_flight = 0;
	readonly asked: Asked[] = [];
	/** How long each answer was waited for. */
	readonly times_ms: number[] = [];
	readonly #answer: (asked: Asked) => ListReply | Promise<ListReply>;

	constructor(
		answer: (asked: Asked) => ListReply | Promise<ListReply>,
		hello: Partial<Hello> = {},
	) {
		this.#answer = answer;
		this.hello = {
			era: "legacy",
			revision: "2025-11-25",
			capabilities: '{"tools":{},"resources":{},"prompts":{}}',
			server_info: '{"name":"lists","version":"1"}',
			instructions: undefined,
			...hello,
		};
	}

	async request(request: UpstreamRequest): Promise<Result<Message, Fault>> {
		const sent = JSON.parse(request.message.bytes.toString()) as Asked;
		const asked = { method: sent.method, params: sent.params };
		this.asked.push(asked);
		this.times_ms.push(request.call_ms);
		const aborted = new Promise<ListReply>((resolve) => {
			const give_up = () => resolve({ fault: "call_cancelled" });
			if (request.signal.aborted) give_up();
			request.signal.addEventListener("abort", give_up, { once: true });
		});
		const reply = await Promise.race([this.#answer(asked), aborted]);
		if ("fault" in reply) return fail(faultOf(reply.fault));
		const body = "result" in reply ? `"result":${reply.result}` : `"error":${reply.error}`;
		const indexed = indexMessage(Buffer.from(`{"jsonrpc":"2.0","id":1,${body}}`));
		if (!indexed.ok) throw new Error(indexed.problem.message);
		return succeed(indexed.value);
	}

	notify(): void {}

	async drain(): Promise<void> {}

	async close(): Promise<void> {}
}

/** The usual answer: the items of each list by the member that holds them. */
export function listsOf(
	lists: Readonly<Record<string, readonly object[]>>,
): (asked: Asked) => ListReply {
	return ({ method }) => {
		const member =
			method === "resources/templates/list" ? "resourceTemplates" : method.split("/")[0];
		return { result: JSON.stringify({ [member as string]: lists[member as string] ?? [] }) };
	};
}

function faultOf(code: FaultCode): Fault {
	return makeFault(new SeededRandom(1), {
		code,
		message: `The server "lists" failed: ${code}.`,
		level: "warn",
		retry_safe: true,
	});
}
