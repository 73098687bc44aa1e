import { createHash } from "node:crypto";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assert } from "../../lib/assert.ts";
import type { EgressWitness, LoopbackWay, SandboxWay } from "../../upstreams/driver.ts";
import { forward_programs } from "./forward-programs.ts";
import { proxy_user } from "./proxy.ts";

/** Where the sandbox has what it reaches the proxy with. */
const inside_folder = "/run/moorage";

/** In a network of its own every port is free before the server is started. */
const inside_port = 3128;

/**
 * Writes the forwarder into a folder; resolves with its path, or with undefined where there is
 * none for this machine.
 */
export async function writeForwarder(
	folder: string,
	platform: string,
	processor: string,
): Promise<string | undefined> {
	const program = platform === "linux" ? forward_programs[processor] : undefined;
	if (program === undefined) return undefined;
	const bytes = Buffer.from(program.base64, "base64");
	const digest = createHash("sha256").update(bytes).digest("hex");
	assert(digest === program.sha256, "the forwarder is not the program that was recorded");
	const path = join(folder, "forward");
	// A program that runs cannot be written to; the name is given to a new file instead.
	await writeFile(`${path}.new`, bytes, { mode: 0o555 });
	await rename(`${path}.new`, path);
	return path;
}

/**
 * How a sandbox leads to the proxy on a socket. It must have a network of its own; the forwarder
 * listens on the loopback of that.
 */
export function sandboxWay(socket_path: string, forwarder_path: string): SandboxWay {
	const forwarder = `${inside_folder}/forward`;
	const socket = `${inside_folder}/egress.sock`;
	return {
		binds: [
			{ from: forwarder_path, to: forwarder },
			{ from: socket_path, to: socket },
		],
		prefix: [forwarder, socket, String(inside_port)],
		env: proxyEnvironment(`http://127.0.0.1:${inside_port}`),
		witness: { path: forwarder_path, socket_path },
	};
}

/**
 * What stands in front of a program on the machine's own network, and becomes it; `port` is the
 * proxy's, where there is one for it.
 */
export function witnessPrefix(
	{ path, socket_path }: EgressWitness,
	port: number | undefined,
): readonly string[] {
	return [path, "-w", String(port ?? 0), socket_path];
}

/** How a program on the machine's own network gets to the proxy on a port, which asks for more. */
export function loopbackWay(port: number, secret: string): LoopbackWay {
	return { port, env: proxyEnvironment(`http://${proxy_user}:${secret}@127.0.0.1:${port}`) };
}

/**
 * The variables by which programs find a proxy, in both spellings, because clients differ.
 * Node 24 heeds them for its own fetch where it is told so.
 */
function proxyEnvironment(url: string): Record<string, string> {
	const direct = "localhost,127.0.0.1,::1";
	return {
		HTTP_PROXY: url,
		HTTPS_PROXY: url,
		ALL_PROXY: url,
		NO_PROXY: direct,
		http_proxy: url,
		https_proxy: url,
		all_proxy: url,
		no_proxy: direct,
		NODE_USE_ENV_PROXY: "1",
	};
}
