import type { Context } from "hono";
import type { AlertsBackend } from "./alerts-backend.ts";
import type { alerts_operations } from "./alerts-operations.ts";
import { callerOf } from "./caller.ts";
import { alert_schema, new_silence_schema } from "./contracts/alerts.ts";
import type { Handler } from "./handlers.ts";
import { problemOf, problemResponse } from "./problem.ts";
import { readBody } from "./read-body.ts";
import { json } from "./responses.ts";

const silence_bytes_max = 4096;

/** A handler for every operation about alerts. */
export function createAlertsHandlers(
	backend: AlertsBackend,
): Record<keyof typeof alerts_operations, Handler> {
	return {
		async listAlerts(context) {
			const wanted = context.req.query("state");
			const state = alert_schema.shape.state.optional().safeParse(wanted);
			if (!state.success) {
				const message = "state is one of pending, firing, resolved.";
				return problemResponse(problemOf("invalid_request", message));
			}
			const { alerts, silences } = await backend.list();
			const chosen = alerts.filter((alert) => wanted === undefined || alert.state === wanted);
			return json({ alerts: chosen, silences });
		},
		async getAlert(context) {
			const found = await backend.find(idOf(context));
			if (found !== undefined) return json(found);
			return problemResponse(problemOf("alert_unknown", "There is no such alert."));
		},
		async silenceAlerts(context) {
			const body = await readBody(context.req.raw, silence_bytes_max, new_silence_schema);
			if (!body.ok) return problemResponse(body.problem);
			return json(await backend.silence(body.value, callerOf(context).principal.id), 201);
		},
		async endSilence(context) {
			const id = idOf(context);
			if (await backend.unsilence(id)) return json({ id });
			return problemResponse(problemOf("silence_unknown", "There is no such silence."));
		},
		testAlerts: async (context) => json(await backend.test(callerOf(context).principal.id)),
	};
}

function idOf(context: Context): string {
	return context.req.param("id") as string;
}
