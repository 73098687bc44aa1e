import type { AdminScenario } from "./admin-scenarios.ts";

/** Requests about authorizations at remote servers. */
export const grant_scenarios: readonly AdminScenario[] = [
	{
		operation: "listUpstreamGrants",
		path: "/api/upstream-grants",
		status: 200,
		calls: ["grants.list()"],
	},
	{
		operation: "revokeUpstreamGrant",
		path: "/api/upstream-grants/notes?tenant=acme&user=ana",
		status: 200,
		calls: ["grants.revoke(acme,ana,notes)"],
	},
	{
		operation: "revokeUpstreamGrant",
		path: "/api/upstream-grants/absent",
		status: 404,
		calls: ["grants.revoke(,,absent)"],
	},
	{
		operation: "listMyGrants",
		path: "/api/me/grants",
		status: 200,
		calls: ["grants.mine(WHO)"],
	},
	{
		operation: "connectMyGrant",
		path: "/api/me/grants/notes",
		status: 200,
		calls: ["grants.connect(notes, WHO)"],
	},
	{
		operation: "connectMyGrant",
		path: "/api/me/grants/absent",
		status: 404,
		calls: ["grants.connect(absent, WHO)"],
	},
	{
		operation: "revokeMyGrant",
		path: "/api/me/grants/notes",
		status: 200,
		calls: ["grants.revokeMine(notes, WHO)"],
	},
	{
		operation: "revokeMyGrant",
		path: "/api/me/grants/absent",
		status: 404,
		calls: ["grants.revokeMine(absent, WHO)"],
	},
];
