/**
 * The parts of undici that are used, by the files they are in: its index loads all of it, the
 * browser's ways to ask too, which is another five megabytes of memory. Their types are those that
 * the index has.
 */
declare module "undici/lib/dispatcher/agent.js" {
	export { Agent as default } from "undici";
}
declare module "undici/lib/dispatcher/pool.js" {
	export { Pool as default } from "undici";
}
declare module "undici/lib/core/connect.js" {
	export { buildConnector as default } from "undici";
}
declare module "undici/lib/api/api-request.js" {
	import type { Dispatcher } from "undici";
	export default function request(
		this: Dispatcher,
		options: Dispatcher.RequestOptions,
	): Promise<Dispatcher.ResponseData>;
}
