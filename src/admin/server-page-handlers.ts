import type { Context } from "hono";
import { settings_draft_schema } from "./contracts/server-page.ts";
import type { Handler } from "./handlers.ts";
import { problemResponse } from "./problem.ts";
import { readBody } from "./read-body.ts";
import { outcome } from "./responses.ts";
import type { ServerPageBackend } from "./server-page-backend.ts";
import type { server_page_operations } from "./server-page-operations.ts";

/** Bodies describe one server. */
const body_bytes_max = 256 * 1024;

/** A handler for every operation about one server seen from near. */
export function createServerPageHandlers(
	backend: ServerPageBackend,
): Record<keyof typeof server_page_operations, Handler> {
	return {
		getServerSecrets: async (context) => outcome(await backend.secrets(nameOf(context))),
		getServerAccess: async (context) =>
			outcome(await backend.access(nameOf(context), context.req.query("tool"))),
		getServerSettings: async (context) => outcome(await backend.settings(nameOf(context))),
		async draftSettings(context) {
			const body = await readBody(context.req.raw, body_bytes_max, settings_draft_schema);
			if (!body.ok) return problemResponse(body.problem);
			return outcome(await backend.draft(nameOf(context), body.value));
		},
	};
}

function nameOf(context: Context): string {
	return context.req.param("name") as string;
}
