import type { AskOutcome, UpstreamAsk } from "../../upstreams/driver.ts";
import { composeNotification } from "../../wire/compose.ts";
import { applyEdits, replaceSpan } from "../../wire/splice.ts";
import type { Channel } from "./channel.ts";

/** A question that a session was asked and that is open. */
interface OpenQuestion {
	readonly ask: UpstreamAsk;
	/** Where it was asked. */
	readonly reply: Channel;
	/** Every id (raw JSON) it was asked under; the client knows the last one at least. */
	readonly ids: string[];
}

/**
 * The questions that servers put to one legacy session. Each is answered at most once, by
 * whichever answer comes first.
 *
 * A client that loses its connection may lose the answer it was about to post with it, and
 * neither SDK posts one again; the call would wait for an answer that was given. So when its
 * stream is taken up, a question that is still open is taken back and asked under a new id (ids
 * are used once in a session). An answer under an old id that is on its way counts nevertheless.
 */
export class LegacyQuestions {
	readonly #open = new Map<string, OpenQuestion>();
	readonly #prefix: string;
	#next = 1;

	/** `prefix` keeps an answer to an earlier run's question from meeting one of this run. */
	constructor(prefix: string) {
		this.#prefix = prefix;
	}

	/** Asks on a channel. The ask must have an id. */
	ask(ask: UpstreamAsk, reply: Channel): void {
		const question: OpenQuestion = { ask, reply, ids: [] };
		this.#send(question);
		ask.signal.addEventListener(
			"abort",
			() => {
				if (this.#close(question)) takeBack(question);
			},
			{ once: true },
		);
	}

	/** Passes the client's answer on; false when nobody asked under that id (raw JSON). */
	answered(id: string, outcome: AskOutcome): boolean {
		const question = this.#open.get(id);
		if (question === undefined) return false;
		this.#close(question);
		// What was asked twice and answered the first time is not to be answered again.
		if (id !== question.ids.at(-1)) takeBack(question);
		question.ask.answer(outcome);
		return true;
	}

	/** Asks anew what was asked on a recorded stream and is still open. */
	again(stream: string): void {
		for (const question of new Set(this.#open.values())) {
			if (question.reply.stream !== stream) continue;
			takeBack(question);
			this.#send(question);
		}
	}

	/** The session is over: nobody answers any more. */
	clear(): void {
		this.#open.clear();
	}

	#send(question: OpenQuestion): void {
		const { id: span, bytes } = question.ask.message;
		if (span === undefined) return;
		const id = JSON.stringify(`${this.#prefix}-${this.#next}`);
		this.#next += 1;
		question.ids.push(id);
		this.#open.set(id, question);
		question.reply.send(applyEdits(bytes, [replaceSpan(span, id)]));
	}

	/** False when it was closed already. */
	#close({ ids }: OpenQuestion): boolean {
		return ids.map((id) => this.#open.delete(id)).includes(true);
	}
}

/** Tells the client that its answer is not needed any more. */
function takeBack({ reply, ids }: OpenQuestion): void {
	const params = `{"requestId":${ids.at(-1)}}`;
	reply.send(composeNotification("notifications/cancelled", params).bytes);
}
