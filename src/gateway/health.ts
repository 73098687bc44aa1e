import type { ServerResponse } from "node:http";
import { answerJson } from "./routes.ts";

/**
 * `/healthz`: the process answers. `/readyz`: every server has answered its handshake, has a
 * stored catalog, or has failed, so that a list is complete.
 */
export function serveHealth(
	response: ServerResponse,
	name: "healthz" | "readyz",
	ready: boolean,
): void {
	if (name === "healthz") answerJson(response, 200, { status: "ok" });
	else answerJson(response, ready ? 200 : 503, { status: ready ? "ready" : "starting" });
}
