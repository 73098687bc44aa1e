import type { AdminScenario } from "./admin-scenarios.ts";

/** Requests about alerts and silences. */
export const alerts_scenarios: readonly AdminScenario[] = [
	{ operation: "listAlerts", path: "/api/alerts", status: 200, calls: ["listAlerts()"] },
	{
		operation: "listAlerts",
		path: "/api/alerts?state=firing",
		status: 200,
		calls: ["listAlerts()"],
	},
	{ operation: "listAlerts", path: "/api/alerts?state=odd", status: 400, calls: [] },
	{ operation: "getAlert", path: "/api/alerts/no", status: 404, calls: ["findAlert(no)"] },
	{
		operation: "silenceAlerts",
		path: "/api/alerts/silences",
		body: '{"rule":"tool_*","for_ms":60000}',
		status: 201,
		calls: ["silence(tool_* *)"],
	},
	{
		operation: "silenceAlerts",
		path: "/api/alerts/silences",
		body: '{"for_ms":0}',
		status: 400,
		calls: [],
	},
	{
		operation: "endSilence",
		path: "/api/alerts/silences/s1",
		status: 200,
		calls: ["unsilence(s1)"],
	},
	{
		operation: "endSilence",
		path: "/api/alerts/silences/no",
		status: 404,
		calls: ["unsilence(no)"],
	},
	{ operation: "testAlerts", path: "/api/alerts/test", status: 200, calls: ["testAlerts()"] },
];
