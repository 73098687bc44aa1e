import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../../lib/environment.ts";

/** Where a container engine may be reached: a socket's path, or a host and port. */
export type EngineAddress =
	| { readonly socket: string }
	| { readonly host: string; readonly port: number };

const default_port = 2375;

/** Addresses to try, in order: the one that is set, else where engines usually listen. */
export function engineAddresses(environment: Environment): EngineAddress[] {
	const set = environment["DOCKER_HOST"];
	if (set) {
		const address = parseAddress(set);
		return address === undefined ? [] : [address];
	}
	const home = environment["HOME"];
	const runtime = environment["XDG_RUNTIME_DIR"];
	return [
		{ socket: "/var/run/docker.sock" },
		...(runtime ? [{ socket: join(runtime, "docker.sock") }] : []),
		...(home ? [{ socket: join(home, ".docker", "run", "docker.sock") }] : []),
		...(runtime ? [{ socket: join(runtime, "podman", "podman.sock") }] : []),
		{ socket: "/run/podman/podman.sock" },
	];
}

/** An address as people write it. */
export function addressText(address: EngineAddress): string {
	return "socket" in address ? address.socket : `${address.host}:${address.port}`;
}

/** Whether something of this machine may listen where an engine would; other machines count not. */
export function hasEngineSocket(environment: Environment): boolean {
	return engineAddresses(environment).some(
		(address) => "socket" in address && existsSync(address.socket),
	);
}

function parseAddress(text: string): EngineAddress | undefined {
	if (text.startsWith("unix://")) {
		return { socket: text.slice("unix://".length) };
	}
	if (!URL.canParse(text)) {
		return undefined;
	}
	const { protocol, hostname, port } = new URL(text);
	return ["tcp:", "http:"].includes(protocol) && hostname !== ""
		? { host: hostname, port: Number(port) || default_port }
		: undefined;
}
