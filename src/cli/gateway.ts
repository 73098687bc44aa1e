import { readAdminToken } from "../admin/token.ts";
import { type GatewayRecord, readDataLock } from "../hosting/process/data-lock.ts";
import { AdminClient } from "./client.ts";
import type { CommandContext } from "./context.ts";
import { dataFolder } from "./data-folder.ts";
import { exit_codes } from "./exit-codes.ts";
import { CommandFailure } from "./failure.ts";

/** The gateway of a state folder, as far as it is there. */
export type FoundGateway =
	| { readonly state: "running"; readonly url: string; readonly record: GatewayRecord }
	/** It runs, and does not listen yet. */
	| { readonly state: "starting" }
	| { readonly state: "none" };

/** Looks for the gateway that runs on a state folder. */
export async function findGateway(data: string, context: CommandContext): Promise<FoundGateway> {
	const lock = await readDataLock(data, context.clock);
	if (lock.state !== "running") return { state: "none" };
	const { url } = lock.gateway;
	return url === undefined
		? { state: "starting" }
		: { state: "running", url, record: lock.gateway };
}

/**
 * A client for the gateway of a state folder; undefined when none runs. It opens the gateway with
 * `key` where one is given, else with the admin token of the folder.
 */
export async function openClient(
	data: string,
	context: CommandContext,
	key?: string,
): Promise<AdminClient | undefined> {
	const found = await findGateway(data, context);
	if (found.state === "none") return undefined;
	if (found.state === "starting") throw stillStarting(data);
	if (key !== undefined) return new AdminClient({ url: found.url, token: key });
	const token = await readAdminToken(data);
	if (!token.ok) {
		throw new CommandFailure({
			exit_code: exit_codes.failed,
			code: "token_unusable",
			message: token.problem.message,
			next: token.problem.next,
		});
	}
	return new AdminClient({ url: found.url, token: token.value });
}

/** Runs `work` with a client for the running gateway; without one the command fails. */
export async function withGateway<Value>(
	context: CommandContext,
	options: { readonly data: string | undefined },
	work: (client: AdminClient) => Promise<Value>,
	key?: string,
): Promise<Value> {
	const without = (data: string) => Promise.reject(noGateway(data));
	return withGatewayOr(context, options, { gateway: work, without }, key);
}

/** Works with the running gateway, or where there is none, with its data folder. */
export async function withGatewayOr<Value>(
	context: CommandContext,
	options: { readonly data: string | undefined },
	work: {
		gateway(client: AdminClient): Promise<Value>;
		without(data: string): Promise<Value>;
	},
	key?: string,
): Promise<Value> {
	const data = await dataFolder(context, options.data);
	const client = await openClient(data, context, key);
	if (client === undefined) return await work.without(data);
	try {
		return await work.gateway(client);
	} finally {
		await client.close();
	}
}

/** The same in the name of a person, where MOORAGE_KEY holds a key of theirs. */
export function withGatewayAsPerson<Value>(
	context: CommandContext,
	options: { readonly data: string | undefined },
	work: (client: AdminClient) => Promise<Value>,
): Promise<Value> {
	// An empty variable is how shells say that there is none.
	return withGateway(context, options, work, context.environment["MOORAGE_KEY"] || undefined);
}

/** No gateway runs on this state folder. */
export function noGateway(data: string): CommandFailure {
	return new CommandFailure({
		exit_code: exit_codes.no_gateway,
		code: "no_gateway",
		message: `No gateway runs with the data folder ${data}.`,
		next: "Start one with `moorage up`, or name the folder of a running one with --data.",
	});
}

function stillStarting(data: string): CommandFailure {
	return new CommandFailure({
		exit_code: exit_codes.no_gateway,
		code: "gateway_starting",
		message: `The gateway with the data folder ${data} is still starting.`,
		next: "Try again in a moment.",
	});
}
