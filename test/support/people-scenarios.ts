import type { AdminScenario } from "./admin-scenarios.ts";

const add_bo = JSON.stringify({ user: "bo", roles: ["member"], password: "correct horse" });
const add_ana = JSON.stringify({ tenant: "acme", user: "ana" });
const roles = JSON.stringify({ roles: ["operator"] });
const add_key = JSON.stringify({ name: "new", user: "ana", scopes: ["billing"] });
const add_client = JSON.stringify({ client_id: "x", redirect_uris: ["https://x.example/cb"] });

/** Every operation about who may call, with the people of `RecordingPeople`. */
export const people_scenarios: readonly AdminScenario[] = [
	{ operation: "listUsers", path: "/api/users", status: 200, calls: ["users()"] },
	{ operation: "listUsers", path: "/api/users?limit=1", status: 200, calls: ["users()"] },
	{ operation: "listUsers", path: "/api/users?limit=0", status: 400, calls: ["users()"] },
	{ operation: "listKeys", path: "/api/keys?limit=0", status: 400, calls: ["keys()"] },
	{
		operation: "listOAuthClients",
		path: "/api/clients?limit=x",
		status: 400,
		calls: ["clients()"],
	},
	{ operation: "listGrants", path: "/api/grants?limit=1.5", status: 400, calls: ["grants()"] },
	{
		operation: "addUser",
		path: "/api/users",
		body: add_bo,
		status: 201,
		calls: [`addUser(${add_bo})`],
	},
	{
		operation: "addUser",
		path: "/api/users",
		body: add_ana,
		status: 409,
		calls: [`addUser(${add_ana})`],
	},
	{ operation: "addUser", path: "/api/users", body: '{"name":"ana"}', status: 400, calls: [] },
	{
		operation: "changeUser",
		path: "/api/users/acme/ana",
		body: roles,
		status: 200,
		calls: [`changeUser(acme, ana, ${roles})`],
	},
	{
		operation: "changeUser",
		path: "/api/users/acme/ana",
		body: roles,
		headers: { "if-match": '"1"' },
		status: 200,
		calls: [`changeUser(acme, ana, ${roles}, "1")`],
	},
	{
		operation: "changeUser",
		path: "/api/users/acme/ana",
		body: roles,
		headers: { "if-match": '"0"' },
		status: 412,
		calls: [`changeUser(acme, ana, ${roles}, "0")`],
	},
	{
		operation: "changeUser",
		path: "/api/users/acme/no",
		body: roles,
		status: 404,
		calls: [`changeUser(acme, no, ${roles})`],
	},
	{
		operation: "removeUser",
		path: "/api/users/acme/ana",
		status: 200,
		calls: ["removeUser(acme, ana)"],
	},
	{
		operation: "endLogins",
		path: "/api/users/acme/ana/logout",
		status: 200,
		calls: ["endLogins(acme, ana)"],
	},
	{ operation: "listKeys", path: "/api/keys", status: 200, calls: ["keys()"] },
	{
		operation: "addKey",
		path: "/api/keys",
		body: add_key,
		status: 201,
		calls: [`addKey(${add_key})`],
	},
	{ operation: "removeKey", path: "/api/keys/no", status: 404, calls: ["removeKey(no)"] },
	{ operation: "listOAuthClients", path: "/api/clients", status: 200, calls: ["clients()"] },
	{
		operation: "addOAuthClient",
		path: "/api/clients",
		body: add_client,
		status: 201,
		calls: [`addClient(${add_client})`],
	},
	{
		operation: "removeOAuthClient",
		path: "/api/clients/https%3A%2F%2Fno.example%2Fclient",
		status: 404,
		calls: ["removeClient(https://no.example/client)"],
	},
	{ operation: "listGrants", path: "/api/grants", status: 200, calls: ["grants()"] },
	{ operation: "removeGrant", path: "/api/grants/g", status: 200, calls: ["removeGrant(g)"] },
];
