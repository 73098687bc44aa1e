import type { HostingCase } from "../hosting/measured.ts";
import { measureOpenDashboards } from "./open.ts";
import { measurePage } from "./page.ts";

/** What people who look cost those who call. */
export const dashboard_cases: readonly HostingCase[] = [
	{
		name: "dashboard-open",
		title: "300 servers called 1,000 times a second, with no dashboard open and with three",
		measure: measureOpenDashboards,
	},
	{
		name: "dashboard-page",
		title: "the page of 300 servers called 1,000 times a second, in a real browser",
		measure: measurePage,
	},
];
