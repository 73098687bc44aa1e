import type { AlertsBackend } from "../../src/admin/alerts-backend.ts";

/** Alerts for tests of the API alone: there are none, and what is asked for is written down. */
export function recordingAlerts(calls: string[]): AlertsBackend {
	return {
		async list() {
			calls.push("listAlerts()");
			return { alerts: [], silences: [] };
		},
		async find(id) {
			calls.push(`findAlert(${id})`);
			return undefined;
		},
		async silence({ rule = "*", subject = "*", for_ms, reason = "" }, created_by) {
			calls.push(`silence(${rule} ${subject})`);
			return { id: "s1", rule, subject, until_ms: for_ms, reason, created_by, created_at_ms: 0 };
		},
		async unsilence(id) {
			calls.push(`unsilence(${id})`);
			return id === "s1";
		},
		async test() {
			calls.push("testAlerts()");
			return { channels: [{ channel: "slack:1", told: true }] };
		},
	};
}
