import type { ChannelPlan } from "../config/alert-rules.ts";
import type { Clock } from "../lib/clock.ts";
import type { AlertRepository, StoredDelivery } from "../store/alert-repository.ts";
import type { Log } from "../telemetry/log.ts";
import { sendMail } from "./delivery/email.ts";
import type { Notice } from "./delivery/notice.ts";
import { slackChannel } from "./delivery/slack.ts";
import { webhookChannel } from "./delivery/webhook.ts";

/** How long after each failed try the next one comes; after the last it is given up. */
const pauses_ms = [5_000, 30_000, 120_000, 600_000, 3_600_000, 3_600_000, 14_400_000, 43_200_000];
const pause_ms_max = Math.max(...pauses_ms);
/** Told at one time; the rest has its turn right after. */
const due_max = 50;

/** What the outbox is made of. */
export interface OutboxOptions {
	readonly clock: Clock;
	readonly log: Log;
	readonly repository: AlertRepository;
	channels(): readonly ChannelPlan[];
	/** Told how often a delivery worked or not, for metrics. */
	onTried(channel: ChannelPlan["kind"], worked: boolean): void;
}

/**
 * What channels still have to be told. It stands in the store, so that neither a restart nor a
 * receiver that is down loses it; each piece of news is told to each channel once, and again only
 * where nobody knows whether it arrived.
 */
export class Outbox {
	readonly #options: OutboxOptions;
	/** While it is found out what is due. */
	#looking: Promise<void> | undefined;
	/** Channels that are being told. */
	readonly #telling = new Map<string, Promise<void>>();

	constructor(options: OutboxOptions) {
		this.#options = options;
	}

	/** Puts a notice down for every channel. */
	deliveriesOf(notice: Notice): StoredDelivery[] {
		return this.#options.channels().map(({ id }) => ({
			id: `${notice.id}/${id}`,
			alert_id: notice.alert_id,
			channel: id,
			body: JSON.stringify(notice),
			attempts: 0,
			next_try_at_ms: notice.at_ms,
			state: "waiting",
			problem: undefined,
		}));
	}

	/**
	 * Tells everything that is due; resolves when each of it was tried. A channel that hangs holds up
	 * nobody but itself: while it does, the others are told of what comes.
	 */
	async pump(): Promise<void> {
		this.#looking ??= this.#tellDue().finally(() => {
			this.#looking = undefined;
		});
		await this.#looking;
		await Promise.all(this.#telling.values());
	}

	/** Tells every channel now, without the store; the outcome of each. */
	async tell(
		notice: Notice,
	): Promise<{ readonly channel: ChannelPlan; readonly problem: string | undefined }[]> {
		return await Promise.all(
			this.#options.channels().map(async (channel) => ({
				channel,
				problem: (await this.#try(channel, [notice])).problem,
			})),
		);
	}

	async #tellDue(): Promise<void> {
		const { repository, clock } = this.#options;
		const except = [...this.#telling.keys()];
		const now_ms = clock.now();
		const due = await repository.due({ now_ms, pause_ms_max, except, limit: due_max });
		for (const [id, waiting] of Map.groupBy(due, ({ channel }) => channel)) {
			const telling = this.#pumpChannel(id, waiting).finally(() => this.#telling.delete(id));
			this.#telling.set(id, telling);
		}
	}

	async #pumpChannel(id: string, waiting: readonly StoredDelivery[]): Promise<void> {
		const channel = this.#options.channels().find((one) => one.id === id);
		if (channel === undefined) {
			const problem = "the channel is no longer configured";
			for (const delivery of waiting) await this.#save({ ...delivery, state: "given_up", problem });
			return;
		}
		for (const together of togetherOf(channel, waiting)) {
			const told = await this.#try(channel, together.map(noticeIn));
			for (const delivery of together) await this.#note(channel, delivery, told);
		}
	}

	/** Writes down what became of one try. */
	async #note(channel: ChannelPlan, delivery: StoredDelivery, told: Told): Promise<void> {
		const { clock, log } = this.#options;
		const { problem, left } = told;
		const attempts = delivery.attempts + 1;
		if (problem === undefined) {
			await this.#save({ ...delivery, attempts, state: "delivered", problem });
			return;
		}
		const pause_ms = pauses_ms[delivery.attempts];
		const over = pause_ms === undefined;
		const fields = { channel: channel.id, alert: delivery.alert_id, attempts, problem };
		log[over ? "error" : "warn"](fields, "an alert could not be delivered");
		await this.#save({
			...delivery,
			body: JSON.stringify({ ...noticeIn(delivery), left } satisfies WaitingNotice),
			attempts,
			problem,
			state: over ? "given_up" : "waiting",
			next_try_at_ms: clock.now() + (pause_ms ?? 0),
		});
	}

	#save(delivery: StoredDelivery): Promise<void> {
		return this.#options.repository.saveDelivery(delivery);
	}

	/** Tells one channel; of mails, those whom it did not reach before. */
	async #try(plan: ChannelPlan, notices: readonly WaitingNotice[]): Promise<Told> {
		const told = await tellOf(plan, notices, this.#options.clock);
		this.#options.onTried(plan.kind, told.problem === undefined);
		return told;
	}
}

/** What is told, and who has not heard of it; undefined: nobody has. */
interface WaitingNotice extends Notice {
	readonly left?: readonly string[] | undefined;
}

/** How telling a channel went. */
interface Told {
	/** Why it did not work; undefined where it did. */
	readonly problem: string | undefined;
	/** Of several receivers those whom it did not reach. */
	readonly left?: readonly string[] | undefined;
}

function noticeIn({ body }: StoredDelivery): WaitingNotice {
	return JSON.parse(body) as WaitingNotice;
}

/** A mail tells all that is due to the same people: ten alerts at once are no ten mails. */
function togetherOf(
	{ kind }: ChannelPlan,
	waiting: readonly StoredDelivery[],
): readonly (readonly StoredDelivery[])[] {
	if (kind !== "email") return waiting.map((one) => [one]);
	return [...Map.groupBy(waiting, (one) => JSON.stringify(noticeIn(one).left)).values()];
}

async function tellOf(
	plan: ChannelPlan,
	notices: readonly WaitingNotice[],
	clock: Clock,
): Promise<Told> {
	const [notice] = notices as readonly [WaitingNotice];
	switch (plan.kind) {
		case "webhook":
			return { problem: await webhookChannel(plan, clock)(notice) };
		case "slack":
			return { problem: await slackChannel(plan, clock)(notice) };
		case "email":
			return await sendMail(plan, notices, clock, notice.left);
	}
}
