import { request } from "node:http";
import { join } from "node:path";
import type { Clock } from "../lib/clock.ts";
import type { Environment } from "../lib/environment.ts";

/** Where a container engine may be reached: a socket's path, or a host and port. */
export type DockerAddress =
	| { readonly socket: string }
	| { readonly host: string; readonly port: number };

const ping_ms = 2_000;
const default_port = 2375;

/** Addresses to try, in order: the one that is set, else where engines usually listen. */
export function dockerAddresses(environment: Environment): DockerAddress[] {
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

function parseAddress(text: string): DockerAddress | undefined {
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

/** The first address where an engine answers, in words; undefined where none does. */
export async function findDocker(
	environment: Environment,
	clock: Clock,
): Promise<string | undefined> {
	const addresses = dockerAddresses(environment);
	const answers = await Promise.all(addresses.map((address) => ping(address, clock)));
	const address = addresses[answers.indexOf(true)];
	if (address === undefined) {
		return undefined;
	}
	return "socket" in address ? address.socket : `${address.host}:${address.port}`;
}

/** Asks `GET /_ping`, which every engine answers without a version or a body. */
function ping(address: DockerAddress, clock: Clock): Promise<boolean> {
	return new Promise((resolve) => {
		const where =
			"socket" in address
				? { socketPath: address.socket }
				: { host: address.host, port: address.port };
		const asking = request({ ...where, path: "/_ping", agent: false }, (response) => {
			timer.cancel();
			response.destroy();
			resolve(response.statusCode === 200);
		});
		const timer = clock.after(ping_ms, () => asking.destroy(new Error("no answer in time")));
		asking.on("error", () => {
			timer.cancel();
			resolve(false);
		});
		asking.end();
	});
}
