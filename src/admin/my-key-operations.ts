import {
	add_my_key_schema,
	added_key_schema,
	my_keys_schema,
	removed_schema,
} from "./contract-people.ts";
import type { Operation } from "./operations.ts";

const everybody = ["operator", "auditor", "approver", "member"] as const;

/** API keys of whoever asks. */
export const my_key_operations = {
	listMyKeys: {
		method: "GET",
		path: "/api/me/keys",
		summary: "The API keys of whoever asks, without the keys themselves.",
		roles: everybody,
		reply: my_keys_schema,
		reply_status: 200,
		problems: [],
	},
	addMyKey: {
		method: "POST",
		path: "/api/me/keys",
		summary: "Makes a key for whoever has signed in with their name; it is told this once.",
		roles: everybody,
		body: add_my_key_schema,
		reply: added_key_schema,
		reply_status: 201,
		problems: [400, 403, 409, 413, 415],
	},
	removeMyKey: {
		method: "DELETE",
		path: "/api/me/keys/{name}",
		summary: "Removes a key of whoever asks; it is refused from then on.",
		roles: everybody,
		reply: removed_schema,
		reply_status: 200,
		problems: [404],
	},
} as const satisfies Record<string, Operation>;
