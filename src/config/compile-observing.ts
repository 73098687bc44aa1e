import { createHash } from "node:crypto";
import type { AlertsPlan, ChannelPlan } from "./alert-rules.ts";
import type { Expander } from "./expander.ts";
import type { Placed } from "./located.ts";
import type { AlertsDraft, ObservingDraft, TelemetryDraft } from "./observing-form.ts";
import type { Report } from "./report.ts";
import type { TelemetryPlan } from "./telemetry-plan.ts";

/** `telemetry` and `alerts` with their references expanded. */
export function compileObserving(
	{ telemetry, alerts }: ObservingDraft,
	expander: Expander,
	report: Report,
): { telemetry?: TelemetryPlan; alerts?: AlertsPlan } {
	const texts = new Texts(expander, report);
	return {
		...(telemetry && { telemetry: compileTelemetry(telemetry, texts) }),
		...(alerts && { alerts: compileAlerts(alerts, texts) }),
	};
}

function compileTelemetry({ plan, url, headers }: TelemetryDraft, texts: Texts): TelemetryPlan {
	if (plan.otlp === undefined || url === undefined) return plan;
	const otlp = {
		...plan.otlp,
		url: texts.url(url, web).replace(/\/+$/, ""),
		headers: Object.fromEntries(headers.map(({ name, value }) => [name, texts.text(value)])),
	};
	return { ...plan, otlp };
}

function compileAlerts(draft: AlertsDraft, texts: Texts): AlertsPlan {
	const channels: ChannelPlan[] = [
		...draft.webhooks.map(({ url, secret }) => {
			const address = texts.url(url, web);
			const id = idOf("webhook", address);
			return { kind: "webhook", id, url: address, secret: texts.text(secret) } as const;
		}),
		...draft.slack.map((url) => {
			const address = texts.url(url, web);
			return { kind: "slack", id: idOf("slack", address), url: address } as const;
		}),
		...draft.email.map(({ server, from, to }) => {
			const address = texts.url(server, mail);
			const id = idOf("email", `${address} ${to.join(" ")}`);
			return { kind: "email", id, server: address, from, to } as const;
		}),
	];
	return { ...draft.plan, channels };
}

/** The same for the same receiver, wherever it stands in the file; it gives no address away. */
function idOf(kind: string, receiver: string): string {
	return `${kind}:${createHash("sha256").update(receiver).digest("hex").slice(0, 8)}`;
}

const web = {
	protocols: ["http:", "https:"],
	next: "Write for example `https://alerts.example.com/`.",
};
const mail = {
	protocols: ["smtp:", "smtps:"],
	next: "Write for example `smtp://user:password@mail.example.com:587`.",
};

class Texts {
	readonly #expander: Expander;
	readonly #report: Report;

	constructor(expander: Expander, report: Report) {
		this.#expander = expander;
		this.#report = report;
	}

	text(placed: Placed): string {
		return this.#expander.text(placed);
	}

	/** The address is not repeated in what is said of it: it may be a secret. */
	url(placed: Placed, { protocols, next }: typeof web): string {
		const text = this.#expander.text(placed);
		const url = URL.parse(text);
		if (url === null || !protocols.includes(url.protocol) || url.hostname === "") {
			const names = protocols.map((name) => name.slice(0, -1)).join(" or ");
			this.#report.problem(placed.start, `This is not an address with ${names}.`, next);
		}
		return text;
	}
}
