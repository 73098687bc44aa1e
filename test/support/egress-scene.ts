import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Dial } from "../../src/hosting/egress/dial.ts";
import { systemDial } from "../../src/hosting/egress/dial.ts";
import { parseHostRule } from "../../src/hosting/egress/host-rules.ts";
import type { EgressRules, Resolve } from "../../src/hosting/egress/judge.ts";
import {
	default_proxy_limits,
	EgressProxy,
	type ProxyLimits,
} from "../../src/hosting/egress/proxy.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { tempFolder } from "./temp-folder.ts";

/** One proxy on a socket, the hosts it was asked for, and the connections it made. */
export interface EgressScene {
	readonly proxy: EgressProxy;
	readonly socket_path: string;
	/** `used api.example.com:443`, in order. */
	readonly noted: string[];
	/** `api.example.com:443 nothing listens there.`, in order. */
	readonly missed: string[];
	/** `8.8.8.8:443`, in order: what was connected to. */
	readonly dialled: string[];
	/** Names in the order in which they were looked up. */
	readonly looked_up: string[];
}

/** What differs from one scene to another. */
export interface EgressSceneOptions {
	/** Hosts of the allow-list; undefined: every public host. */
	readonly hosts?: readonly string[];
	/** Names and what they lead to at each lookup, the last one for good. */
	readonly names?: Readonly<Record<string, readonly (readonly string[])[]>>;
	/** Where every connection to a public address ends up in truth. */
	readonly origin_port?: number;
	readonly limits?: Partial<ProxyLimits>;
	readonly clock?: Clock;
	readonly dial?: Dial;
}

/** Starts a proxy whose public addresses all lead to a port of this machine. */
export async function startEgress(
	context: TestContext,
	options: EgressSceneOptions = {},
): Promise<EgressScene> {
	const folder = await tempFolder(context);
	const socket_path = join(folder, "egress.sock");
	const noted: string[] = [];
	const missed: string[] = [];
	const dialled: string[] = [];
	const looked_up: string[] = [];
	const resolve: Resolve = (name) => {
		const answers = options.names?.[name] ?? [];
		const asked = looked_up.filter((other) => other === name).length;
		looked_up.push(name);
		return Promise.resolve(answers[Math.min(asked, answers.length - 1)] ?? []);
	};
	const dial: Dial = (addresses, port) => {
		dialled.push(`${addresses.join(" ")}:${port}`);
		const { origin_port } = options;
		return origin_port === undefined
			? systemDial(addresses, port)
			: systemDial(["127.0.0.1"], origin_port);
	};
	const proxy = new EgressProxy({
		server: "files",
		rules: rulesOf(options.hosts),
		clock: options.clock ?? systemClock,
		resolve,
		dial: options.dial ?? dial,
		limits: { ...default_proxy_limits, ...options.limits },
		note: (outcome, { host, port }) => noted.push(`${outcome} ${host}:${port}`),
		missed: ({ host, port }, why) => missed.push(`${host}:${port} ${why}`),
	});
	await proxy.listen(socket_path);
	context.after(() => proxy.close());
	return { proxy, socket_path, noted, missed, dialled, looked_up };
}

function rulesOf(hosts: readonly string[] | undefined): EgressRules {
	if (hosts === undefined) return { kind: "public" };
	const rules = hosts.map((text) => parseHostRule(text)).filter((rule) => rule !== undefined);
	return { kind: "hosts", rules };
}

/** Starts an HTTP server on loopback; gives its port. */
export async function startOrigin(
	context: TestContext,
	handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ readonly port: number; readonly server: Server }> {
	const server = createServer(handle);
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	context.after(() => {
		server.close();
		server.closeAllConnections();
	});
	return { port: (server.address() as AddressInfo).port, server };
}

/** Starts a TCP server on loopback; gives its port. */
export async function startTcp(
	context: TestContext,
	handle: (socket: Socket) => void,
): Promise<number> {
	const open = new Set<Socket>();
	const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
		open.add(socket);
		socket.on("error", () => socket.destroy());
		socket.once("close", () => open.delete(socket));
		handle(socket);
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	context.after(() => {
		server.close();
		for (const socket of open) socket.destroy();
	});
	return (server.address() as AddressInfo).port;
}

/** A client that writes bytes as they are and reads what comes back. */
export class RawSocket {
	readonly socket: Socket;
	#text = "";
	#wake: () => void = () => undefined;

	constructor(context: TestContext, path: string) {
		this.socket = connect({ path, allowHalfOpen: true });
		context.after(() => this.socket.destroy());
		this.socket.setEncoding("latin1");
		this.socket.on("data", (chunk: string) => {
			this.#text += chunk;
			this.#wake();
		});
		this.socket.on("error", () => undefined);
		for (const event of ["end", "close"]) this.socket.on(event, () => this.#wake());
	}

	write(...lines: string[]): void {
		this.socket.write(lines.join("\r\n"), "latin1");
	}

	/** Everything read so far, as soon as it holds this text or the other side has ended. */
	async until(text: string): Promise<string> {
		while (!this.#text.includes(text) && !this.socket.readableEnded && !this.socket.destroyed) {
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
			});
		}
		return this.#text;
	}

	/** Everything read until the other side ended. */
	end(): Promise<string> {
		return this.until("\0never\0");
	}
}
