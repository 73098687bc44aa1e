import type { AdminScenario } from "./admin-scenarios.ts";

const path = "/api/secrets/github";

/** Requests about the vault: values go in, and none comes out. */
export const secret_scenarios: readonly AdminScenario[] = [
	{ operation: "listSecrets", path: "/api/secrets", status: 200, calls: ["secrets.list()"] },
	{
		operation: "checkSecrets",
		path: "/api/secrets/check",
		status: 200,
		calls: ["secrets.check()"],
	},
	{
		operation: "setSecret",
		path,
		body: '{"value":"abcdef","tenant":"acme"}',
		status: 200,
		calls: ["secrets.set(github,acme,)"],
	},
	{
		operation: "setSecret",
		path,
		body: '{"value":""}',
		status: 422,
		calls: ["secrets.set(github,,)"],
	},
	{
		operation: "setSecret",
		path,
		body: '{"value":"abcdef"}',
		headers: { "if-match": '"0"' },
		status: 412,
		calls: ['secrets.set(github,,,"0")'],
	},
	{
		operation: "setSecret",
		path,
		body: '{"value":"abcdef"}',
		headers: { "if-none-match": "*" },
		status: 200,
		calls: ["secrets.set(github,,,absent)"],
	},
	{ operation: "setSecret", path, body: '{"value":1}', status: 400, calls: [] },
	{ operation: "setSecret", path, body: '{"value":"abcd","why":1}', status: 400, calls: [] },
	{
		operation: "removeSecret",
		path: `${path}?tenant=acme&user=bob`,
		status: 200,
		calls: ["secrets.remove(github,acme,bob)"],
	},
	{
		operation: "removeSecret",
		path: "/api/secrets/absent",
		status: 404,
		calls: ["secrets.remove(absent,,)"],
	},
	{
		operation: "rotateMasterKey",
		path: "/api/secrets/master-key",
		body: "{}",
		status: 200,
		calls: ["secrets.rotateMaster()"],
	},
	{
		operation: "rotateMasterKey",
		path: "/api/secrets/master-key",
		body: '{"key":"abc"}',
		status: 200,
		calls: ["secrets.rotateMaster(key)"],
	},
];
