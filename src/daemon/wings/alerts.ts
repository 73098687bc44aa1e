import { statfs } from "node:fs/promises";
import { CallAggregator, nobody } from "../../alerts/aggregator.ts";
import { Alerts } from "../../alerts/engine.ts";
import type { AlertFacts } from "../../alerts/facts.ts";
import { compareCatalogs, describeDifference } from "../../catalog/compare.ts";
import type { ServerCatalog } from "../../catalog/server-catalog.ts";
import { default_alerts } from "../../config/alert-rules.ts";
import { SqlAlertRepository } from "../../store/alert-repository.ts";
import type { CallRecord } from "../../telemetry/call-record.ts";
import type { Counter, Family } from "../../telemetry/metrics/instruments.ts";
import type { Registry } from "../../telemetry/metrics/registry.ts";
import { CredentialExpiry } from "../expiring.ts";
import type { Wing, WingParts } from "../wings.ts";

/** Differences that are named in an alert. */
const differences_named_max = 3;

/** Alerts: fed from calls and from what the house knows of itself. */
export class AlertsWing implements Wing {
	readonly evidence = [{ after: (record: CallRecord) => this.#count(record) }];
	readonly alerts: Alerts;
	readonly #parts: WingParts;
	readonly #aggregator: CallAggregator;
	/** What each server offered when it was looked at last. */
	readonly #catalogs = new Map<string, ServerCatalog>();
	#forget: (() => void) | undefined;
	#told: Family<Counter> | undefined;

	constructor(parts: WingParts) {
		const { clock, random, log } = parts.options;
		this.#parts = parts;
		const { redactor } = parts;
		this.#aggregator = new CallAggregator({ clock, writer: parts.writer, redactor });
		this.alerts = new Alerts({
			clock,
			random,
			log,
			redactor,
			writer: parts.writer,
			repository: new SqlAlertRepository(parts.connection),
			aggregator: this.#aggregator,
			facts: this.#facts(),
			plan: () => parts.plan().alerts ?? default_alerts,
			onChange: (alert) => parts.live.publish("alert", alert),
			onTried: (channel, worked) => this.#told?.get(channel, worked ? "told" : "failed").add(),
		});
	}

	async start(): Promise<void> {
		await this.alerts.restore();
		this.#measure(this.#parts.wings().telemetry.telemetry.registry);
		this.#forget = this.#parts.catalogs.onChange(({ server }) => this.#compare(server));
		this.alerts.start();
	}

	opened(): void {
		for (const { name } of this.#parts.plan().servers) {
			const catalog = this.#parts.catalogs.get(name);
			if (catalog !== undefined) this.#catalogs.set(name, catalog);
		}
	}

	async stop(): Promise<void> {
		this.#forget?.();
		await this.alerts.stop();
	}

	/** A credential was refused before anybody knew whose it was. */
	refused(code: string): void {
		// Whoever sends none is on the way to get one: every first request of a client is like that.
		if (code !== "credential_missing") this.#aggregator.note("denied", nobody, code);
	}

	#count(record: CallRecord): undefined {
		this.#aggregator.count(record);
	}

	/** A tool described otherwise under the same configuration may have been tampered with. */
	#compare(server: string): void {
		const after = this.#parts.catalogs.get(server);
		const before = this.#catalogs.get(server);
		if (after === undefined) return void this.#catalogs.delete(server);
		this.#catalogs.set(server, after);
		if (before === undefined || before.fingerprint !== after.fingerprint) return;
		const changed = compareCatalogs(before, after).filter(
			({ kind, change }) => kind === "tools" && change === "changed",
		);
		if (changed.length === 0) return;
		const named = changed.slice(0, differences_named_max).map(describeDifference);
		const more = changed.length - named.length;
		const text = more > 0 ? `${named.join(", ")} and ${more} more` : named.join(", ");
		this.#aggregator.note("drift", server, text);
	}

	#facts(): AlertFacts {
		const { hosting, plan, rooms, options } = this.#parts;
		const expiry = new CredentialExpiry({ clock: options.clock, plan, rooms });
		return {
			crashed: () =>
				hosting
					.statuses()
					.flatMap(({ name, state, reason }) =>
						state === "failed" ? [{ server: name, reason: reason ?? "it has failed" }] : [],
					),
			expiring: () => expiry.list(),
			disk: async () => {
				const { data } = this.#parts.plan();
				try {
					const { bavail, blocks, bsize } = await statfs(data);
					return { path: data, free_bytes: bavail * bsize, total_bytes: blocks * bsize };
				} catch {
					return undefined;
				}
			},
			lost: () => this.#parts.wings().lost(),
		};
	}

	#measure(registry: Registry): void {
		this.#told = registry.counter({
			name: "moorage.alerts.deliveries",
			help: "Tries to tell people of alerts.",
			unit: "1",
			labels: ["channel", "outcome"],
		});
		registry.observe(
			"gauge",
			{ name: "moorage.alerts", help: "Alerts, by state.", unit: "1", labels: ["state"] },
			() => {
				const { pending, firing } = this.alerts.counts();
				return [
					{ labels: ["pending"], value: pending },
					{ labels: ["firing"], value: firing },
				];
			},
		);
	}
}
