import { callerOf } from "./caller.ts";
import { add_my_key_schema } from "./contract-people.ts";
import type { Handler } from "./handlers.ts";
import type { MyKeyBackend } from "./my-key-backend.ts";
import type { my_key_operations } from "./my-key-operations.ts";
import { problemResponse } from "./problem.ts";
import { readBody } from "./read-body.ts";
import { json, outcome } from "./responses.ts";

const body_bytes_max = 16 * 1024;

/** A handler for every operation about the keys of whoever asks. */
export function createMyKeyHandlers(
	keys: MyKeyBackend,
): Record<keyof typeof my_key_operations, Handler> {
	return {
		listMyKeys: (context) => json(keys.list(callerOf(context))),
		async addMyKey(context) {
			const body = await readBody(context.req.raw, body_bytes_max, add_my_key_schema);
			if (!body.ok) return problemResponse(body.problem);
			return outcome(await keys.add(body.value, callerOf(context)), 201);
		},
		async removeMyKey(context) {
			return outcome(await keys.remove(context.req.param("name") as string, callerOf(context)));
		},
	};
}
