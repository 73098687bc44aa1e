import type { AlertsBackend } from "../admin/alerts-backend.ts";
import type {
	AlertDetails,
	AlertsList,
	AlertsTest,
	AlertView,
	NewSilenceRequest,
	SilenceView,
} from "../admin/contracts/alerts.ts";
import type { Alerts } from "../alerts/engine.ts";
import type { Alert } from "../alerts/state.ts";
import type { Clock } from "../lib/clock.ts";

/** Alerts, as the admin API sees them. */
export class DaemonAlerts implements AlertsBackend {
	readonly #alerts: () => Alerts;
	readonly #clock: () => Clock;

	constructor(alerts: () => Alerts, clock: () => Clock) {
		this.#alerts = alerts;
		this.#clock = clock;
	}

	async list(): Promise<AlertsList> {
		const alerts = (await this.#alerts().list()).map((alert) => this.#view(alert));
		return { alerts, silences: [...this.#alerts().silences()] };
	}

	async find(id: string): Promise<AlertDetails | undefined> {
		const found = await this.#alerts().find(id);
		if (found === undefined) return undefined;
		const deliveries = found.deliveries.map(({ channel, state, attempts, problem }) => ({
			channel,
			state,
			attempts,
			...(problem === undefined ? {} : { problem }),
		}));
		return { alert: this.#view(found.alert), deliveries };
	}

	silence(request: NewSilenceRequest, who: string): Promise<SilenceView> {
		const { rule = "*", subject = "*", for_ms, reason = "" } = request;
		const until_ms = this.#clock().now() + for_ms;
		return this.#alerts().silence({ rule, subject, until_ms, reason, created_by: who });
	}

	unsilence(id: string): Promise<boolean> {
		return this.#alerts().unsilence(id);
	}

	async test(who: string): Promise<AlertsTest> {
		const told = await this.#alerts().test(who);
		return {
			channels: told.map(({ channel, problem }) => ({
				channel: channel.id,
				told: problem === undefined,
				...(problem === undefined ? {} : { problem }),
			})),
		};
	}

	#view(alert: Alert): AlertView {
		return { ...alert, silenced: this.#alerts().isSilenced(alert.rule, alert.subject) };
	}
}
