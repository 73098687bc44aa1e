import type { IncomingMessage, ServerResponse } from "node:http";
import { ApprovalPages } from "../admin/approval-pages.ts";
import type { SignInPages } from "../admin/sign-in-pages.ts";
import type { Log } from "../telemetry/log.ts";
import { serveCallback, webhookAt } from "./approval-callbacks.ts";
import { DaemonSafety, safetyParts } from "./safety-backend.ts";
import { ApprovalWing } from "./wings/approvals.ts";
import type { Wings } from "./wings.ts";

/** Serves the pages on which people decide about calls, and takes what webhooks say of it. */
export function servePages(wings: Wings, door: SignInPages, log: Log) {
	const pages = new ApprovalPages(new DaemonSafety(safetyParts(wings)), door);
	const { callback } = wings.of(ApprovalWing);
	return (request: IncomingMessage, response: ServerResponse) => {
		const name = webhookAt(request.url ?? "");
		const served =
			name === undefined
				? pages.serve(request, response)
				: serveCallback(callback, name, request, response);
		served.catch((error: unknown) => {
			log.error({ err: error }, "an approval's page failed");
			response.destroy();
		});
	};
}
