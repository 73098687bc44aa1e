import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { heapOptions } from "../bin/launcher/lean-heap.mjs";

/** A server under load, as a process of its own. */
export interface Contender {
	readonly pid: number;
	readonly port: number;
	/** Whether its metrics tell how late its event loop is. */
	readonly tells_loop?: boolean;
	stop(): Promise<void>;
}

/** Names of the servers that the gateway is configured with. */
export type ServerName = "legacy" | "modern" | "hundred" | "thousand" | "remote";

/** Nothing here takes longer to start, unless something is wrong. */
const start_ms_max = 30_000;
const stop_ms_max = 10_000;

const programOf = (name: string): string =>
	fileURLToPath(new URL(`./servers/${name}.mjs`, import.meta.url));
const root = fileURLToPath(new URL("../", import.meta.url));
const as_started = { argv: ["node", "moorage", "up"], execArgv: [], env: {} };

/** What makes Node run the bundle in `folder`, as it is published, like its launcher does. */
export function gatewayArguments(
	folder: string,
	launcher: { heapOptions(started: typeof as_started): readonly string[] },
): readonly string[] {
	return [...launcher.heapOptions(as_started), join(folder, "dist", "main.js")];
}

const moorage = gatewayArguments(root, { heapOptions });
let built: Promise<void> | undefined;

/** Makes the bundle of what is measured; what it says goes to standard error. */
function buildOnce(): Promise<void> {
	built ??= new Promise((resolve, reject) => {
		const tool = join(root, "tools", "build.ts");
		const child = spawn(process.execPath, [tool], { stdio: ["ignore", "ignore", "inherit"] });
		child.once("error", reject);
		child.once("exit", (code) =>
			code === 0 ? resolve() : reject(new Error(`the bundle could not be made: exit ${code}`)),
		);
	});
	return built;
}

/** Arguments that make Node run the echo server. */
export function echoArguments(...args: string[]): string[] {
	return [programOf("echo"), ...args];
}

/** The program of the echo server. */
export const echoPath: string = programOf("echo");

/** Starts one of the programs in servers/, which prints its port. */
export async function startProgram(name: string, ...args: string[]): Promise<Contender> {
	return (await startReporting(name, ...args)).contender;
}

/** The same, with everything that it printed. */
export async function startReporting(
	name: string,
	...args: string[]
): Promise<{ contender: Contender; report: Record<string, unknown> }> {
	const { child, report } = await startProcess([programOf(name), ...args], "pipe");
	const { pid } = child;
	const stop = () => stopped(child);
	return { contender: { pid: pid as number, port: Number(report["port"]), stop }, report };
}

/** Starts a program that listens on the port it is told, and resolves once somebody does. */
export async function startServing(args: (port: number) => readonly string[]): Promise<Contender> {
	const port = await freePort();
	const child = spawn(process.execPath, args(port), { stdio: ["pipe", "ignore", "ignore"] });
	const stop = () => stopped(child);
	const tries_max = start_ms_max / connect_again_ms;
	for (let attempt = 0; attempt < tries_max && child.exitCode === null; attempt += 1) {
		if (await listens(port)) return { pid: child.pid as number, port, stop };
		await new Promise((resolve) => setTimeout(resolve, connect_again_ms));
	}
	await stop();
	throw new Error(`nobody listens on ${port}: ${args(port).join(" ")}`);
}

const connect_again_ms = 100;

async function freePort(): Promise<number> {
	const server = createServer();
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	server.close();
	await once(server, "close");
	return port;
}

function listens(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect({ port, host: "127.0.0.1" });
		const settle = (answer: boolean) => {
			socket.destroy();
			resolve(answer);
		};
		socket.once("connect", () => settle(true));
		socket.once("error", () => settle(false));
	});
}

/** Starts the gateway as its users do, with the servers that the cases call. */
export async function startMoorage(
	remote_port: number | undefined,
	long_list = false,
): Promise<Contender> {
	const stdio = (...args: string[]) => ({
		command: process.execPath,
		args: echoArguments(...args),
	});
	const servers: Partial<Record<ServerName, object>> = {
		legacy: stdio("--era", "legacy"),
		modern: stdio("--era", "modern"),
		hundred: stdio("--era", "modern", "--tools", "100"),
		...(long_list ? { thousand: stdio("--era", "modern", "--tools", "1000", "--long") } : {}),
		...(remote_port === undefined
			? {}
			: { remote: { url: `http://127.0.0.1:${remote_port}/mcp` } }),
	};
	const endpoints = long_list ? { endpoints: { long: { servers: ["thousand"] } } } : {};
	// What the plain cases are about is the way of a call; what is kept of calls has its own case.
	const kept = { audit: "off", calls: { log: "off", history: "off" } };
	const config = { servers, ...endpoints, ...kept, limits: { sessions: 20_000 } };
	const gateway = await startGateway(config);
	const unready = gateway.servers.find(({ state }) => state !== "ready");
	if (unready === undefined) return gateway;
	await gateway.stop();
	throw new Error(`${unready.name} is ${unready.state}: ${unready.reason ?? "no reason given"}`);
}

/** A gateway as a process of its own, with what it printed when it was up. */
export interface GatewayProcess extends Contender {
	readonly servers: GatewayReport["servers"];
	readonly admin_token_path: string;
}

/** Where a gateway is started, if not anywhere. */
export interface GatewayPlace {
	/** An existing folder that its own is made in. */
	readonly folder?: string;
	/** Added to its environment. */
	readonly environment?: Readonly<Record<string, string>>;
	/** What makes Node run another gateway than the one of this tree. */
	readonly program?: readonly string[];
}

/** Starts a gateway from this `moorage.yaml`, in a folder of its own that ends with it. */
export async function startGateway(
	config: object | string,
	{ folder: within = tmpdir(), environment, program }: GatewayPlace = {},
): Promise<GatewayProcess> {
	const folder = await mkdtemp(join(within, "moorage-bench-"));
	const file = join(folder, "moorage.yaml");
	const text = typeof config === "string" ? config : JSON.stringify({ version: 1, ...config });
	await writeFile(file, text);
	return upIn(folder, file, environment, program);
}

async function upIn(
	folder: string,
	file: string,
	environment: Readonly<Record<string, string>> | undefined,
	program: readonly string[] = moorage,
): Promise<GatewayProcess> {
	const listen = ["--listen", "127.0.0.1:0"];
	const args = ["up", file, "--data", join(folder, "data"), ...listen, "--json", "--quiet"];
	const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 3 });
	try {
		if (program === moorage) await buildOnce();
		const { child, report } = await startProcess([...program, ...args], "ignore", environment);
		const { url, pid, servers, admin_token_path } = report as unknown as GatewayReport;
		const stop = async () => {
			await stopped(child);
			await remove();
		};
		const port = Number(new URL(url).port);
		return { pid, port, servers, admin_token_path, tells_loop: true, stop };
	} catch (error) {
		await remove();
		throw error;
	}
}

/** What `moorage up --json` prints once it is ready, as far as it matters here. */
interface GatewayReport {
	readonly url: string;
	readonly pid: number;
	readonly admin_token_path: string;
	readonly servers: readonly { name: string; state: string; reason?: string }[];
}

/** Starts Node and reads the JSON document that it prints once it is ready. */
async function startProcess(
	args: readonly string[],
	stdin: "pipe" | "ignore",
	environment: Readonly<Record<string, string>> = {},
): Promise<{ child: ChildProcess; report: Record<string, unknown> }> {
	const child = spawn(process.execPath, args, {
		stdio: [stdin, "pipe", "inherit"],
		env: { ...process.env, ...environment },
	});
	const timer = setTimeout(() => child.kill("SIGKILL"), start_ms_max);
	const report = await new Promise<Record<string, unknown>>((resolve, reject) => {
		let printed = "";
		createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
			printed += line;
			if (line.startsWith("}") || line.endsWith("}")) {
				const parsed = parsedOrNothing(printed);
				if (parsed !== undefined) resolve(parsed);
			}
		});
		child.once("exit", (code) => reject(new Error(`${args[0]} ended with ${code}: ${printed}`)));
	}).finally(() => clearTimeout(timer));
	return { child, report };
}

/** The document may span several lines; undefined until it is whole. */
function parsedOrNothing(text: string): Record<string, unknown> | undefined {
	try {
		return JSON.parse(text) as Record<string, unknown>;
	} catch {
		return undefined;
	}
}

async function stopped(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	const exited = once(child, "exit");
	const timer = setTimeout(() => child.kill("SIGKILL"), stop_ms_max);
	child.stdin?.end();
	child.kill("SIGTERM");
	await exited;
	clearTimeout(timer);
}
