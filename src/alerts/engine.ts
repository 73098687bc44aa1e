import type { AlertsPlan, RulePlan } from "../config/alert-rules.ts";
import { type Clock, type Timer, withinTime } from "../lib/clock.ts";
import { ClockWatch } from "../lib/clock-watch.ts";
import { matchesGlob } from "../lib/glob.ts";
import type { Random } from "../lib/random.ts";
import type { Redactor } from "../secrets/redactor.ts";
import type {
	AlertRepository,
	StoredAlert,
	StoredDelivery,
	StoredSilence,
} from "../store/alert-repository.ts";
import type { StoreWriter } from "../store/repositories.ts";
import type { Log } from "../telemetry/log.ts";
import type { CallAggregator } from "./aggregator.ts";
import type { Notice } from "./delivery/notice.ts";
import { evaluate } from "./evaluate.ts";
import type { AlertFacts } from "./facts.ts";
import { Outbox } from "./outbox.ts";
import { type Alert, type News, nextState, type Observation } from "./state.ts";

/** How often rules are looked at. */
export const evaluation_ms = 10_000;
const resolved_kept_ms = 30 * 24 * 3_600_000;
/** Alerts of one rule at a time: what is wrong with so many things is one thing. */
const alerts_per_rule_max = 100;
const alerts_listed_max = 500;
/** How long a gateway that stops waits for those who are being told. */
const stop_wait_ms = 2_000;

/** What alerts are made of. */
export interface AlertsOptions {
	readonly clock: Clock;
	readonly random: Random;
	readonly log: Log;
	readonly repository: AlertRepository;
	readonly writer: StoreWriter;
	readonly aggregator: CallAggregator;
	readonly facts: AlertFacts;
	/** Read at every use: a reload may change it. */
	plan(): AlertsPlan;
	/** Takes secrets out of what people are told. */
	readonly redactor: Pick<Redactor, "text">;
	/** Told of every alert that changed, for those who look on. */
	onChange(alert: Alert): void;
	onTried(channel: "webhook" | "slack" | "email", worked: boolean): void;
}

/** A new silence, as people write it. */
export interface NewSilence {
	readonly rule: string;
	readonly subject: string;
	readonly until_ms: number;
	readonly reason: string;
	readonly created_by: string;
}

/** Looks at the rules again and again, and tells people what they found. */
export class Alerts {
	readonly #options: AlertsOptions;
	readonly #outbox: Outbox;
	/** Pending and firing ones, by rule and subject. */
	readonly #open = new Map<string, Alert>();
	#silences: readonly StoredSilence[] = [];
	#lost_before: Readonly<Record<string, number>> = {};
	readonly #clock_watch: ClockWatch;
	#timer: Timer | undefined;
	#running: Promise<void> | undefined;
	#telling: Promise<void> = Promise.resolve();
	#stopped = false;

	constructor(options: AlertsOptions) {
		this.#options = options;
		const { clock, log, repository, onTried } = options;
		this.#clock_watch = new ClockWatch(clock);
		this.#outbox = new Outbox({
			clock,
			log,
			repository,
			onTried,
			channels: () => options.plan().channels,
		});
	}

	/** Takes up what was open when the gateway stopped. */
	async restore(): Promise<void> {
		const { repository } = this.#options;
		for (const stored of await repository.open()) {
			const alert = fromStored(stored);
			this.#open.set(keyOf(alert.rule, alert.subject), alert);
		}
		this.#silences = await repository.silences();
	}

	/** Looks at the rules from now on. */
	start(): void {
		if (this.#stopped) return;
		this.#timer = this.#options.clock.afterIdle(evaluation_ms, () => {
			void this.evaluateNow().finally(() => this.start());
		});
	}

	/** Looks no more, and writes down what was counted. */
	async stop(): Promise<void> {
		this.#stopped = true;
		this.#timer?.cancel();
		await this.#running;
		// What was told but is not written down by then is told once more by the next run.
		await withinTime(this.#options.clock, stop_wait_ms, this.#telling);
		this.#noteLost();
		await this.#options.aggregator.flush();
	}

	/** How many alerts there are of each state. */
	counts(): { readonly pending: number; readonly firing: number } {
		const firing = [...this.#open.values()].filter(({ state }) => state === "firing").length;
		return { pending: this.#open.size - firing, firing };
	}

	/** Firing alerts, pending ones, and those that are over; the latest first. */
	async list(): Promise<readonly Alert[]> {
		return (await this.#options.repository.alerts(alerts_listed_max)).map(fromStored);
	}

	/** One alert and how telling it went. */
	async find(id: string): Promise<{ alert: Alert; deliveries: StoredDelivery[] } | undefined> {
		const { repository } = this.#options;
		const stored = await repository.alert(id);
		if (stored === undefined) return undefined;
		return { alert: fromStored(stored), deliveries: await repository.deliveries(id) };
	}

	/** Silences that are not over. */
	silences(): readonly StoredSilence[] {
		const now_ms = this.#options.clock.now();
		return this.#silences.filter(({ until_ms }) => until_ms > now_ms);
	}

	isSilenced(rule: string, subject: string): boolean {
		return this.silences().some(
			(silence) => matchesGlob(silence.rule, rule) && matchesGlob(silence.subject, subject),
		);
	}

	async silence(parts: NewSilence): Promise<StoredSilence> {
		const { repository, random, clock } = this.#options;
		const silence = { ...parts, id: random.uuid(), created_at_ms: clock.now() };
		await repository.saveSilence(silence);
		this.#silences = await repository.silences();
		return silence;
	}

	/** Ends a silence; false where there is none of that id. */
	async unsilence(id: string): Promise<boolean> {
		const { repository } = this.#options;
		const removed = await repository.removeSilence(id);
		this.#silences = await repository.silences();
		return removed;
	}

	/** Tells every channel of an alert that is only a test; the outcome of each. */
	test(who: string): ReturnType<Outbox["tell"]> {
		const { clock, random } = this.#options;
		const id = random.uuid();
		return this.#outbox.tell({
			id,
			alert_id: id,
			news: "test",
			rule: "test",
			subject: "moorage",
			severity: "info",
			summary: `This is a test of alerts, asked for by ${who}. Nothing is wrong.`,
			value: 0,
			threshold: 0,
			since_ms: clock.now(),
			at_ms: clock.now(),
			next: "Nothing has to be done.",
		});
	}

	/** Looks at every rule once and tells what is new. Never rejects. */
	evaluateNow(): Promise<void> {
		this.#running ??= this.#evaluate()
			.catch((error: unknown) => {
				// What could not be looked at is neither over nor begins.
				this.#options.log.warn({ err: error }, "alerts could not be evaluated");
			})
			.finally(() => {
				this.#running = undefined;
			});
		return this.#running;
	}

	async #evaluate(): Promise<void> {
		const { aggregator, repository, facts, clock, log } = this.#options;
		this.#noteLost();
		await aggregator.flush();
		const now_ms = clock.now();
		const { rules } = this.#options.plan();
		for (const rule of rules) {
			try {
				const found = await evaluate(rule, { repository, facts, now_ms });
				const seen = found.slice(0, alerts_per_rule_max).map((one) => this.#redacted(one));
				await this.#apply(rule, seen, now_ms);
			} catch (error) {
				log.warn({ err: error, rule: rule.name }, "a rule of alerts could not be evaluated");
			}
		}
		await this.#dropWithoutRule(new Set(rules.map(({ name }) => name)));
		if (this.#clock_watch.jumped() === 0) {
			await repository.removeResolved(now_ms - resolved_kept_ms);
		}
		// Not waited for: who is slow to be told must not keep the rules from being looked at.
		this.#telling = this.#outbox.pump().catch((error: unknown) => {
			log.warn({ err: error }, "alerts could not be told");
		});
	}

	#redacted(seen: Observation): Observation {
		return { ...seen, summary: this.#options.redactor.text(seen.summary) };
	}

	/** What was lost since the last time becomes part of the store, where the rule finds it. */
	#noteLost(): void {
		const { facts, aggregator } = this.#options;
		const lost = facts.lost();
		for (const [where, count] of Object.entries(lost)) {
			const more = count - (this.#lost_before[where] ?? 0);
			if (more > 0) aggregator.note("evidence_lost", where, where, more);
		}
		this.#lost_before = { ...lost };
	}

	async #apply(rule: RulePlan, seen: readonly Observation[], now_ms: number): Promise<void> {
		const by_subject = new Map(seen.map((one) => [one.subject, one]));
		const subjects = new Set(by_subject.keys());
		for (const alert of this.#open.values())
			if (alert.rule === rule.name) subjects.add(alert.subject);
		for (const subject of subjects) {
			await this.#step(rule, subject, by_subject.get(subject), now_ms);
		}
	}

	async #step(
		rule: RulePlan,
		subject: string,
		seen: Observation | undefined,
		now_ms: number,
	): Promise<void> {
		const { random } = this.#options;
		const key = keyOf(rule.name, subject);
		const before = this.#open.get(key);
		const { alert, news } = nextState(before, seen, {
			rule,
			now_ms,
			silenced: this.isSilenced(rule.name, subject),
			repeat_ms: this.#options.plan().repeat_ms,
			id: () => random.uuid(),
		});
		await this.#write(before, alert, news, now_ms);
		if (alert === undefined || alert.state === "resolved") this.#open.delete(key);
		else this.#open.set(key, alert);
		if (alert !== undefined && (alert.state !== before?.state || news !== undefined)) {
			this.#announce(alert);
		}
	}

	/** The alert and what is to be told of it are written together, or neither is. */
	async #write(
		before: Alert | undefined,
		alert: Alert | undefined,
		news: News | undefined,
		now_ms: number,
	): Promise<void> {
		const deliveries =
			alert === undefined || news === undefined
				? []
				: this.#outbox.deliveriesOf(noticeOf(alert, news, now_ms));
		const written = await this.#options.writer.addDurably(async ({ alerts }) => {
			if (alert !== undefined) await alerts.saveAlert(toStored(alert));
			else if (before !== undefined) await alerts.removeAlert(before.id);
			for (const delivery of deliveries) await alerts.enqueue(delivery);
		});
		if (!written) this.#options.log.warn({ alert: alert?.id }, "an alert is written later");
	}

	#announce(alert: Alert): void {
		const { log, onChange } = this.#options;
		const { id, rule, subject, state, summary } = alert;
		if (state !== "pending") {
			const level = state === "firing" ? "warn" : "info";
			log[level]({ alert: id, rule, subject, state }, summary);
		}
		onChange(alert);
	}

	/** A rule that is switched off takes its alerts along. */
	async #dropWithoutRule(rules: ReadonlySet<string>): Promise<void> {
		for (const [key, alert] of this.#open) {
			if (rules.has(alert.rule)) continue;
			this.#open.delete(key);
			await this.#options.repository.removeAlert(alert.id);
		}
	}
}

function noticeOf(alert: Alert, news: News, now_ms: number): Notice {
	const { rule, subject, severity, summary, value, threshold, since_ms } = alert;
	return {
		id: `${alert.id}.${news}.${alert.told}`,
		alert_id: alert.id,
		news,
		rule,
		subject,
		severity,
		summary,
		value,
		threshold,
		since_ms,
		at_ms: now_ms,
		next: `See it with: moorage alerts show ${alert.id}`,
	};
}

function keyOf(rule: string, subject: string): string {
	return `${rule}\0${subject}`;
}

function toStored(alert: Alert): StoredAlert {
	const { id, rule, subject, state, since_ms } = alert;
	return { id, rule, subject, state, since_ms, body: JSON.stringify(alert) };
}

function fromStored({ body }: StoredAlert): Alert {
	// Members that were undefined are absent in JSON, which reads the same.
	return JSON.parse(body) as Alert;
}
