import type { Caller } from "../../admin/caller.ts";
import type { Play, PlayAnswer, PlayRequest } from "../../admin/dashboard-backend.ts";
import type { SendEvent } from "../../admin/event-stream.ts";
import { type AdminProblem, problemOf } from "../../admin/problem.ts";
import { directCall, directRequest } from "../../gateway/direct-call.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { renderReply } from "../../gateway/render.ts";
import type { Principal } from "../../identity/principal.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";
import type { UpstreamAsk } from "../../upstreams/driver.ts";
import { wholeBody } from "../../wire/body.ts";
import { composeError } from "../../wire/compose.ts";
import type { Edit, Message } from "../../wire/message.ts";
import { applyEdits } from "../../wire/splice.ts";

/** What the playground says it can do. Its questions are answered by hand. */
const capabilities = JSON.stringify({
	elicitation: { form: {}, url: {} },
	sampling: {},
	extensions: { "io.modelcontextprotocol/ui": { mimeTypes: ["text/html;profile=mcp-app"] } },
});

/** Longest message that is shown whole; of longer ones the beginning. */
const message_chars_max = 256 * 1024;
/** Longest reply that is sent to the page. */
const reply_chars_max = 16 * 1024 * 1024;

interface Running {
	readonly principal: string;
	readonly questions: Map<string, UpstreamAsk>;
}

/** Calls that people make by hand, with everything that is said on both sides meanwhile. */
export class Plays {
	readonly #gateway: () => Gateway;
	readonly #running = new Map<string, Running>();

	constructor(gateway: () => Gateway) {
		this.#gateway = gateway;
	}

	/**
	 * Prepares a call; it starts with `run`.
	 * @param principal whom the call is made for; the caller answers its questions
	 */
	prepare(request: PlayRequest, caller: Caller, principal: Principal): Result<Play, AdminProblem> {
		const { endpoints, context } = this.#gateway();
		const endpoint = endpoints.get(request.server);
		if (endpoint === undefined) {
			const message = `There is no server named "${request.server}".`;
			return fail(problemOf("server_unknown", message));
		}
		const made = directRequest(request.method, withProgress(request));
		if (!made.ok) return fail(problemOf("invalid_request", `params: ${made.problem.message}`));
		const id = context.random.uuid();
		const cancel = new AbortController();
		const begin = async (send: SendEvent) => {
			const questions = new Map<string, UpstreamAsk>();
			this.#running.set(id, { principal: caller.principal.id, questions });
			const tell = (side: string, from: string, bytes: Buffer) =>
				send("message", { side, from, at_ms: context.clock.now(), ...shown(bytes) });
			const began_ms = context.clock.monotonic();
			tell("client", "client", made.value.message.bytes);
			const reply = await directCall(endpoint, made.value, principal, cancel.signal, context, {
				capabilities,
				...(request.as === undefined ? {} : { made_by: caller.principal }),
				sink: {
					notify: (message) => tell("client", "gateway", message.bytes),
					ask: (ask) => this.#ask(ask, questions, send, tell),
				},
				watch: {
					sent: (message: Message, edits: readonly Edit[]) =>
						tell("server", "gateway", applyEdits(message.bytes, edits)),
					received: (message: Message) => tell("server", "server", message.bytes),
				},
			});
			const to = { id: "1", method: request.method, era: "legacy" as const };
			const { bytes: body, outcome } = renderReply(reply, to);
			const bytes = wholeBody(body);
			tell("client", "gateway", bytes);
			const duration_ms = context.clock.monotonic() - began_ms;
			const text = bytes.toString("utf8");
			const too_long = text.length > reply_chars_max;
			send("result", { outcome, duration_ms, too_long, reply: too_long ? "" : text });
		};
		const run = async (send: SendEvent) => {
			try {
				await begin(send);
			} catch (error) {
				// Nobody waits for this: thrown on, it would end the gateway for everybody.
				context.log.error({ err: error, server: request.server }, "A call by hand broke.");
				const reply = composeError("1", -32603, "The call broke in the gateway; see its log.");
				const result = { outcome: "fault", duration_ms: 0, too_long: false };
				send("result", { ...result, reply: reply.toString("utf8") });
			} finally {
				this.#running.delete(id);
			}
		};
		return succeed({ id, run, cancel: () => cancel.abort() });
	}

	/** Answers a question of a running call of the same person; false when nobody asks that. */
	answer(play: string, question: string, answer: PlayAnswer, caller: Caller): boolean {
		const running = this.#running.get(play);
		const ask = running?.questions.get(question);
		if (ask === undefined || running?.principal !== caller.principal.id) return false;
		running.questions.delete(question);
		const elicits = ask.message.method === "elicitation/create";
		if (elicits) {
			const content = answer.action === "accept" ? `,"content":${answer.result_json}` : "";
			ask.answer({ kind: "result", json: `{"action":"${answer.action}"${content}}` });
		} else if (answer.action === "accept") {
			ask.answer({ kind: "result", json: answer.result_json });
		} else {
			const refused = { code: -1, message: "The person in the playground declined." };
			ask.answer({ kind: "error", json: JSON.stringify(refused) });
		}
		return true;
	}

	#ask(
		ask: UpstreamAsk,
		questions: Map<string, UpstreamAsk>,
		send: SendEvent,
		tell: (side: string, from: string, bytes: Buffer) => void,
	): void {
		const id = this.#gateway().context.random.uuid();
		tell("client", "gateway", ask.message.bytes);
		questions.set(id, ask);
		const withdraw = () => {
			if (questions.delete(id)) send("withdrawn", { id });
		};
		ask.signal.addEventListener("abort", withdraw, { once: true });
		send("question", { id, ...shown(ask.message.bytes) });
	}
}

function shown(bytes: Buffer): { text: string; cut: boolean } {
	const text = bytes.toString("utf8");
	const cut = text.length > message_chars_max;
	return { text: cut ? text.slice(0, message_chars_max) : text, cut };
}

/** The params as they were written, with a wish to hear of progress. */
function withProgress({ params, params_json }: PlayRequest): string {
	const meta = { _meta: { progressToken: 1 } };
	// Whoever says something there already has it written anew.
	if (Object.hasOwn(params, "_meta")) return JSON.stringify({ ...params, ...meta });
	const [first, rest] = [JSON.stringify(meta).slice(0, -1), params_json.trim().slice(1)];
	return Object.keys(params).length === 0 ? `${first}}` : `${first},${rest}`;
}
