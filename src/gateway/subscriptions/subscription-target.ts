import type { ServerPlan } from "../../config/plan.ts";
import { originalUri } from "../../protocol/names.ts";
import type { Endpoint } from "../endpoint.ts";

/** The server behind a resource's address at an endpoint, and its own uri for it. */
export function subscriptionTarget(
	endpoint: Endpoint,
	exposed: string,
): { server: ServerPlan; uri: string } | undefined {
	if (endpoint.kind === "single") {
		const server = endpoint.servers[0];
		return server === undefined ? undefined : { server, uri: exposed };
	}
	const original = originalUri(exposed);
	const server = endpoint.servers.find(({ name }) => name === original?.server);
	if (original === undefined || server === undefined) return undefined;
	return { server, uri: original.uri };
}
