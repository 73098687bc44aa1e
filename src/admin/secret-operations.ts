import * as secrets from "./contracts/secrets.ts";
import type { Operation } from "./operations.ts";

const readers = ["operator", "auditor"] as const;
const scope_query = {
	tenant: "The tenant whose value is meant; everybody's when absent.",
	user: "The person of the tenant whose value is meant.",
};

/** The vault: names, ages and use; values go in and never come out. */
export const secret_operations = {
	listSecrets: {
		method: "GET",
		path: "/api/secrets",
		summary: "Every secret with its age and its last use, without its value.",
		roles: readers,
		reply: secrets.secrets_schema,
		reply_status: 200,
		problems: [],
	},
	checkSecrets: {
		method: "GET",
		path: "/api/secrets/check",
		summary: "What is the matter with secrets: missing, old, unused, shared, in plain text.",
		roles: readers,
		reply: secrets.secret_findings_schema,
		reply_status: 200,
		problems: [],
	},
	setSecret: {
		method: "PUT",
		path: "/api/secrets/{name}",
		summary: "Stores a value; servers that use it get it by a rolling restart.",
		roles: ["operator"],
		if_match: "heeded",
		body: secrets.set_secret_schema,
		reply: secrets.changed_secret_schema,
		reply_status: 200,
		problems: [400, 412, 413, 415, 422, 502],
	},
	removeSecret: {
		method: "DELETE",
		path: "/api/secrets/{name}",
		summary: "Removes a value; what runs with it runs on until it is restarted.",
		roles: ["operator"],
		query: scope_query,
		reply: secrets.changed_secret_schema,
		reply_status: 200,
		problems: [404],
	},
	rotateMasterKey: {
		method: "POST",
		path: "/api/secrets/master-key",
		summary: "Seals everything with another master key, while everything runs.",
		roles: [],
		body: secrets.rotate_master_schema,
		reply: secrets.rotated_master_schema,
		reply_status: 200,
		problems: [400, 413, 415, 422, 502],
	},
} as const satisfies Record<string, Operation>;
