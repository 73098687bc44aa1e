import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";

/** Answers a request of `node:http`; never rejects. */
export type AdminListener = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * Mounts the admin API on a server of `node:http`. The global `Request` and `Response` are left
 * as they are: other parts of the process use them too.
 */
export function createAdminListener(app: Hono): AdminListener {
	return getRequestListener(app.fetch, { overrideGlobalObjects: false });
}
