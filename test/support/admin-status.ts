import { readFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import type { ServerDetails } from "../../src/admin/contract.ts";
import type { ServerStatus } from "../../src/hosting/status.ts";
import type { TestGateway } from "./gateway.ts";

/** A server as the admin API shows it. */
export async function statusOf(gateway: TestGateway, server: string): Promise<ServerStatus> {
	const token = (await readFile(gateway.daemon.admin_token_path, "utf8")).trim();
	const response = await fetch(`${gateway.url}/api/servers/${server}`, {
		headers: { authorization: `Bearer ${token}` },
	});
	return (await response.json()) as ServerStatus;
}

/** Its instances as the admin API shows them. */
export async function instancesOf(gateway: TestGateway, server: string) {
	return (await statusOf(gateway, server)).instances;
}

/** Resolves with the status once it is as wanted: nothing tells of every change. */
export async function untilStatus(
	gateway: TestGateway,
	server: string,
	wanted: (status: ServerStatus) => boolean,
): Promise<ServerStatus> {
	for (;;) {
		const status = await statusOf(gateway, server);
		if (wanted(status)) return status;
		await setTimeout(look_again_ms);
	}
}

/** Resolves once its instances are as wanted. */
export async function untilInstances(
	gateway: TestGateway,
	server: string,
	wanted: (instances: ServerStatus["instances"]) => boolean,
): Promise<void> {
	await untilStatus(gateway, server, ({ instances }) => wanted(instances));
}

/** Everything the admin API tells of a server. */
export async function detailsOf(gateway: TestGateway, server: string): Promise<ServerDetails> {
	const token = (await readFile(gateway.daemon.admin_token_path, "utf8")).trim();
	const response = await fetch(`${gateway.url}/api/servers/${server}/details`, {
		headers: { authorization: `Bearer ${token}` },
	});
	return (await response.json()) as ServerDetails;
}

/** Resolves with the details once they are as wanted: nothing tells of every change. */
export async function untilDetails(
	gateway: TestGateway,
	server: string,
	wanted: (details: ServerDetails) => boolean,
): Promise<ServerDetails> {
	for (;;) {
		const details = await detailsOf(gateway, server);
		if (wanted(details)) return details;
		await setTimeout(look_again_ms);
	}
}

const look_again_ms = 20;
