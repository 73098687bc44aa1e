import type { ChannelPlan } from "../config/alert-rules.ts";
import type { Clock } from "../lib/clock.ts";
import type { AlertRepository, StoredDelivery } from "../store/alert-repository.ts";
import type { Log } from "../telemetry/log.ts";
import { emailChannel } from "./delivery/email.ts";
import type { Channel, Notice } from "./delivery/notice.ts";
import { slackChannel } from "./delivery/slack.ts";
import { webhookChannel } from "./delivery/webhook.ts";

/** How long after each failed try the next one comes; after the last it is given up. */
const pauses_ms = [5_000, 30_000, 120_000, 600_000, 3_600_000, 3_600_000, 14_400_000, 43_200_000];
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
	#pumping: Promise<void> | undefined;

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

	/** Tells everything that is due; resolves when each of it was tried. */
	pump(): Promise<void> {
		this.#pumping ??= this.#pump().finally(() => {
			this.#pumping = undefined;
		});
		return this.#pumping;
	}

	/** Tells every channel now, without the store; the outcome of each. */
	async tell(
		notice: Notice,
	): Promise<{ readonly channel: ChannelPlan; readonly problem: string | undefined }[]> {
		return await Promise.all(
			this.#options.channels().map(async (channel) => ({
				channel,
				problem: await this.#try(channel, notice),
			})),
		);
	}

	async #pump(): Promise<void> {
		const { repository, clock } = this.#options;
		const due = await repository.due(clock.now(), due_max);
		const by_channel = Map.groupBy(due, ({ channel }) => channel);
		// A channel that hangs holds up nobody but itself.
		await Promise.all(
			[...by_channel].map(async ([, deliveries]) => {
				for (const delivery of deliveries) await this.#deliver(delivery);
			}),
		);
	}

	async #deliver(delivery: StoredDelivery): Promise<void> {
		const { repository, clock, log } = this.#options;
		const channel = this.#options.channels().find(({ id }) => id === delivery.channel);
		if (channel === undefined) {
			const problem = "the channel is no longer configured";
			await repository.saveDelivery({ ...delivery, state: "given_up", problem });
			return;
		}
		const problem = await this.#try(channel, JSON.parse(delivery.body) as Notice);
		const attempts = delivery.attempts + 1;
		if (problem === undefined) {
			await repository.saveDelivery({ ...delivery, attempts, state: "delivered", problem });
			return;
		}
		const pause_ms = pauses_ms[delivery.attempts];
		const over = pause_ms === undefined;
		const fields = { channel: channel.id, alert: delivery.alert_id, attempts, problem };
		log[over ? "error" : "warn"](fields, "an alert could not be delivered");
		await repository.saveDelivery({
			...delivery,
			attempts,
			problem,
			state: over ? "given_up" : "waiting",
			next_try_at_ms: clock.now() + (pause_ms ?? 0),
		});
	}

	async #try(plan: ChannelPlan, notice: Notice): Promise<string | undefined> {
		const problem = await channelOf(plan, this.#options.clock)(notice);
		this.#options.onTried(plan.kind, problem === undefined);
		return problem;
	}
}

function channelOf(plan: ChannelPlan, clock: Clock): Channel {
	switch (plan.kind) {
		case "webhook":
			return webhookChannel(plan, clock);
		case "slack":
			return slackChannel(plan, clock);
		case "email":
			return emailChannel(plan);
	}
}
