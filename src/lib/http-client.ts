import type { Dispatcher } from "undici";
import apiRequest from "undici/lib/api/api-request.js";
import buildConnector from "undici/lib/core/connect.js";
import Agent from "undici/lib/dispatcher/agent.js";
import Pool from "undici/lib/dispatcher/pool.js";

/**
 * What of undici is used. It takes several megabytes of memory, so that whoever asks something over
 * HTTP loads it with `import()`, most of them through `HttpAgent`.
 */

/** What a request is made with beside its address. */
export type HttpRequest = Omit<Dispatcher.RequestOptions, "origin" | "path" | "method"> & {
	readonly method?: Dispatcher.HttpMethod;
};

/** Sends one request; resolves with the head of its answer, and a body that is to be read. */
export function requestOver(
	dispatcher: Dispatcher,
	address: string | URL,
	{ method = "GET", ...options }: HttpRequest,
): Promise<Dispatcher.ResponseData> {
	const { origin, pathname, search } = new URL(address);
	return apiRequest.call(dispatcher, { ...options, origin, path: `${pathname}${search}`, method });
}

export { Agent, buildConnector, Pool };
