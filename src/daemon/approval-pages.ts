import type { IncomingMessage, ServerResponse } from "node:http";
import type { AdmissionOptions } from "../admin/admission.ts";
import { ApprovalPages } from "../admin/approval-pages.ts";
import type { Log } from "../telemetry/log.ts";
import { DaemonSafety, safetyParts } from "./safety-backend.ts";
import type { Wings } from "./wings.ts";

/** Serves the pages on which people decide about calls. */
export function servePages(wings: Wings, admission: AdmissionOptions, log: Log) {
	const pages = new ApprovalPages(new DaemonSafety(safetyParts(wings)), admission);
	return (request: IncomingMessage, response: ServerResponse) => {
		pages.serve(request, response).catch((error: unknown) => {
			log.error({ err: error }, "an approval's page failed");
			response.destroy();
		});
	};
}
