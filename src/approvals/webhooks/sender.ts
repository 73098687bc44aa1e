import type { ApprovalWebhookPlan } from "../../config/approval-webhooks.ts";
import type { Clock, Timer } from "../../lib/clock.ts";
import { guardedFetch, RefusedAddress } from "../../lib/guarded-fetch.ts";
import { webhookHeaders } from "../../lib/webhook-signature.ts";
import type { Redactor } from "../../secrets/redactor.ts";
import type { Log } from "../../telemetry/log.ts";
import { type Approval, isLive } from "../approval.ts";
import { type ApprovalLinks, type ApprovalNews, idOfNews, messageOf, newsOf } from "./message.ts";

/** How long after each failed try the next one comes; after the last it is given up. */
const pauses_ms = [1_000, 5_000, 15_000, 60_000, 300_000, 900_000];
/** Messages of one receiver that are on their way at once, and those that wait or rest. */
export const sent_at_once_max = 4;
export const held_max = 2_000;
/** What a receiver answers is not looked at. */
const answer_bytes_max = 64 * 1024;

/** What the sender is made of. */
export interface ApprovalWebhooksOptions {
	readonly clock: Clock;
	readonly log: Log;
	readonly redactor: Redactor;
	/** As the configuration has them now. */
	hooks(): readonly ApprovalWebhookPlan[];
	links(approval: Approval, hook: ApprovalWebhookPlan): ApprovalLinks;
	/** Told of every try, and of every message that is given up or has no room, for metrics. */
	onTried?(hook: string, outcome: "told" | "failed" | "lost"): void;
}

interface Message {
	/** The receiver's name: its address may change while a message rests. */
	readonly hook: string;
	readonly approval: Approval;
	readonly news: ApprovalNews;
	readonly id: string;
	attempts: number;
}

/** What is to be sent to one receiver: one that is down takes no room of the others. */
interface Line {
	readonly waiting: Message[];
	readonly resting: Set<Timer>;
	sending: number;
}

/**
 * Tells receivers of calls that wait for people, and of what became of them. What cannot be told
 * is tried again for about twenty minutes, as long as it is still true; after a restart, calls that
 * still wait are told again under the same `webhook-id`.
 */
export class ApprovalWebhooks {
	readonly #options: ApprovalWebhooksOptions;
	/** The last news of each approval of which something can still become. */
	readonly #told = new Map<string, string>();
	/** By the receiver's name. */
	readonly #lines = new Map<string, Line>();
	readonly #over = new AbortController();
	readonly #running = new Set<Promise<void>>();

	constructor(options: ApprovalWebhooksOptions) {
		this.#options = options;
	}

	/** To be called after every change of an approval. Returns at once. */
	changed(approval: Approval): void {
		const news = newsOf(approval);
		const id = news && idOfNews(approval, news);
		const is_new = id !== undefined && this.#told.get(approval.id) !== id;
		if (!isLive(approval)) this.#told.delete(approval.id);
		else if (id !== undefined) this.#told.set(approval.id, id);
		if (!is_new || news === undefined || this.#over.signal.aborted) return;
		for (const { name, tenant } of this.#options.hooks()) {
			if (tenant !== undefined && tenant !== approval.tenant) continue;
			this.#hold({ hook: name, approval, news, id, attempts: 0 });
		}
	}

	/** Gives up what is on its way; resolves when nothing is any more. */
	async stop(): Promise<void> {
		this.#over.abort();
		for (const { resting } of this.#lines.values()) for (const timer of resting) timer.cancel();
		this.#lines.clear();
		await Promise.all(this.#running);
	}

	#hold(message: Message): void {
		const line = this.#lines.get(message.hook) ?? { waiting: [], resting: new Set(), sending: 0 };
		this.#lines.set(message.hook, line);
		if (line.waiting.length + line.resting.size >= held_max) {
			const fields = { webhook: message.hook, approval: message.approval.id };
			this.#options.log.error(fields, "too many messages of approvals wait to be sent");
			this.#options.onTried?.(message.hook, "lost");
			return;
		}
		line.waiting.push(message);
		this.#send(line);
	}

	#send(line: Line): void {
		while (line.sending < sent_at_once_max && !this.#over.signal.aborted) {
			const message = line.waiting.shift();
			if (message === undefined) return;
			line.sending += 1;
			const running = this.#deliver(message, line).finally(() => {
				this.#running.delete(running);
				line.sending -= 1;
				this.#send(line);
			});
			this.#running.add(running);
		}
	}

	async #deliver(message: Message, line: Line): Promise<void> {
		const { approval, news, id } = message;
		const hook = this.#options.hooks().find(({ name }) => name === message.hook);
		// Nobody is asked about what is decided already, or about arguments that have changed.
		const is_over = news === "pending" && this.#told.get(approval.id) !== id;
		if (hook === undefined || is_over) return;
		const problem = await this.#post(hook, message);
		if (this.#over.signal.aborted) return;
		this.#options.onTried?.(hook.name, problem === undefined ? "told" : "failed");
		if (problem === undefined) return;
		const pause_ms = pauses_ms[message.attempts];
		message.attempts += 1;
		const fields = { webhook: hook.name, approval: approval.id, news, problem };
		const { log, clock } = this.#options;
		log[pause_ms === undefined ? "error" : "warn"](fields, "an approval's webhook was not taken");
		if (pause_ms === undefined) return this.#options.onTried?.(hook.name, "lost");
		const timer = clock.afterIdle(pause_ms, () => {
			line.resting.delete(timer);
			this.#hold(message);
		});
		line.resting.add(timer);
	}

	/** Resolves with why it did not work, without the address, which may be a secret. */
	async #post(hook: ApprovalWebhookPlan, message: Message): Promise<string | undefined> {
		const { clock, redactor } = this.#options;
		const { approval, news, id } = message;
		const links = this.#options.links(approval, hook);
		const body = messageOf(approval, news, links, redactor);
		const headers = webhookHeaders(hook.secret, id, clock.now(), body);
		const options = { clock, near: hook.url, redirects: "none" } as const;
		try {
			const { status } = await guardedFetch({ ...options, body_bytes_max: answer_bytes_max })(
				hook.url,
				{
					method: "POST",
					headers: { ...headers, "content-type": "application/json" },
					body,
					signal: this.#over.signal,
				},
			);
			return status >= 200 && status < 300 ? undefined : `it answered with HTTP status ${status}`;
		} catch (error) {
			if (error instanceof RefusedAddress) return `it ${error.message}`;
			if (isTimeout(error as Error & { code?: string })) return "it did not answer in time";
			return (error as NodeJS.ErrnoException).code ?? "it could not be reached";
		}
	}
}

/** Whether time was up, whoever noticed: the guard, or before it the connection. */
function isTimeout({ name, code = "" }: Error & { code?: string }): boolean {
	return name === "AbortError" || name === "TimeoutError" || code.endsWith("_TIMEOUT");
}
