import * as alerts from "./contracts/alerts.ts";
import type { Operation } from "./operations.ts";

const readers = ["operator", "auditor"] as const;
const operators = ["operator"] as const;

/** Alerts and silences. */
export const alerts_operations = {
	listAlerts: {
		method: "GET",
		path: "/api/alerts",
		summary: "Alerts that fire, are pending or are over, and silences.",
		roles: readers,
		query: { state: "`firing`, `pending` or `resolved`; all when absent." },
		reply: alerts.alerts_list_schema,
		reply_status: 200,
		problems: [400],
	},
	getAlert: {
		method: "GET",
		path: "/api/alerts/{id}",
		summary: "One alert, and how telling people of it went.",
		roles: readers,
		reply: alerts.alert_details_schema,
		reply_status: 200,
		problems: [404],
	},
	silenceAlerts: {
		method: "POST",
		path: "/api/alerts/silences",
		summary: "Tells nobody of some alerts for a time.",
		roles: operators,
		body: alerts.new_silence_schema,
		reply: alerts.silence_schema,
		reply_status: 201,
		problems: [400, 413, 415],
	},
	endSilence: {
		method: "DELETE",
		path: "/api/alerts/silences/{id}",
		summary: "Ends a silence.",
		roles: operators,
		reply: alerts.ended_silence_schema,
		reply_status: 200,
		problems: [404],
	},
	testAlerts: {
		method: "POST",
		path: "/api/alerts/test",
		summary: "Tells every channel of an alert that is only a test.",
		roles: operators,
		reply: alerts.alerts_test_schema,
		reply_status: 200,
		problems: [],
	},
} as const satisfies Record<string, Operation>;

/** Names of the schemas of alerts in the API's document. */
export const alerts_components = {
	Alert: alerts.alert_schema,
	Silence: alerts.silence_schema,
	AlertList: alerts.alerts_list_schema,
	AlertDetails: alerts.alert_details_schema,
	SilenceRequest: alerts.new_silence_schema,
	SilenceEnded: alerts.ended_silence_schema,
	AlertsTest: alerts.alerts_test_schema,
};
