import { readdirSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { type Child, killChild, startChild } from "../matrix/child.ts";
import { fixturePath } from "../support/fixtures.ts";
import { type MoorageProcess, startMoorage } from "../support/moorage-process.ts";
import { eventually, markedProcesses } from "../support/processes.ts";

const program = fixturePath("recording");

/** The servers behind the gateway: both transports in both eras. */
export const shared_names = ["stdio-legacy", "stdio-modern", "http-legacy", "http-modern"] as const;
/** One whose every session has an instance and a volume of its own. */
export const session_name = "session-legacy";
export const server_names = [...shared_names, session_name] as const;
export type ServerName = (typeof server_names)[number];

const eraOf = (name: ServerName) => name.slice(name.indexOf("-") + 1);

/** A server that the gateway reaches over HTTP; started again at its port when it was killed. */
class RemoteServer {
	readonly #args: readonly string[];
	readonly #environment: NodeJS.ProcessEnv;
	#child: Child | undefined;
	url = "";

	constructor(name: ServerName, environment: NodeJS.ProcessEnv) {
		this.#args = [program, "--http", "--era", eraOf(name)];
		this.#environment = environment;
	}

	async start(): Promise<void> {
		const port = this.url === "" ? [] : ["--port", new URL(this.url).port];
		const started = await startChild([...this.#args, ...port], this.#environment, addressIn);
		this.#child = started.child;
		this.url = started.found;
	}

	async kill(): Promise<void> {
		if (this.#child !== undefined) await killChild(this.#child);
	}
}

function addressIn(printed: string): string | undefined {
	const end = printed.indexOf("\n");
	return end < 0 ? undefined : (JSON.parse(printed.slice(0, end)) as { url: string }).url;
}

/** A gateway and its servers as processes of their own, each of which can be killed. */
export class House {
	readonly #folder: string;
	readonly #mark: string;
	readonly #remotes = new Map<ServerName, RemoteServer>();
	/** Of all gateways that ran: they stand in the names of their control groups. */
	readonly #gateway_pids: number[] = [];
	/** Groups of others that were killed before; the system gives their pids away again. */
	readonly #groups_before = new Set(groups());
	#gateway: MoorageProcess | undefined;
	#restarting: Promise<void> = Promise.resolve();
	#stop_code: number | null | undefined;

	private constructor(folder: string, mark: string) {
		this.#folder = folder;
		this.#mark = mark;
	}

	static async open(mark: string): Promise<House> {
		const house = new House(await mkdtemp(join(tmpdir(), "moorage-chaos-")), mark);
		await mkdir(dirname(house.#ledger));
		await writeFile(house.#ledger, "");
		const servers: Record<string, object> = {};
		for (const name of server_names) servers[name] = await house.#entry(name);
		await writeFile(house.#config, JSON.stringify({ version: 1, servers }));
		await house.#up("127.0.0.1:0");
		return house;
	}

	get port(): number {
		return Number(new URL(this.#running.report.url).port);
	}

	/** What the gateway said on its standard error, of all its lives. */
	readonly gateway_lines: string[] = [];

	/** How the gateway ended when it was asked to. */
	get stop_code(): number | null | undefined {
		return this.#stop_code;
	}

	/** Resolves when the gateway is there, at once unless it was killed. */
	up(): Promise<void> {
		return this.#restarting;
	}

	/** Kills the gateway with SIGKILL and starts it again on the same folder and port. */
	restartGateway(): Promise<void> {
		const listen = new URL(this.#running.report.url).host;
		this.#restarting = this.#restarting
			.then(() => this.#running.kill())
			.then(() => this.#up(listen));
		return this.#restarting;
	}

	/** Kills a server with SIGKILL; true when there was one to kill. */
	async killServer(name: ServerName): Promise<boolean> {
		const remote = this.#remotes.get(name);
		if (remote !== undefined) {
			await remote.kill();
			await remote.start();
			return true;
		}
		const command = `${process.execPath} ${program} --era ${eraOf(name)}`;
		const found = this.processes().filter((line) => line.includes(` ${command}`));
		for (const line of found) {
			const [pid, first] = line.split(" ");
			// The shell that reaps for it has the same words in its command line.
			if (first === process.execPath) kill(Number(pid));
		}
		return found.length > 0;
	}

	/**
	 * Kills the outermost process of every sandbox with SIGKILL; how many there were. Where the
	 * gateway was killed a moment ago there is none: then the next is waited for, which a call makes.
	 */
	async killSandboxes(): Promise<number> {
		await this.#restarting;
		const read = () => this.processes().filter((line) => /^\d+ \S*\/bwrap /.test(line));
		const found = await eventually(read, (lines) => lines.length > 0).catch(read);
		for (const line of found) kill(Number.parseInt(line, 10));
		return found.length;
	}

	/** Ids of executed calls, in the order of their execution. */
	async executed(): Promise<string[]> {
		return (await readFile(this.#ledger, "utf8")).split("\n").filter((id) => id !== "");
	}

	/** Command lines of all its processes. */
	processes(): string[] {
		return markedProcesses(`MOORAGE_TEST_MARK=${this.#mark}`);
	}

	/** Stops everything; resolves with the processes that stay behind nevertheless. */
	async close(): Promise<string[]> {
		await this.#restarting;
		this.#stop_code = await this.#running.stop();
		this.gateway_lines.push(...this.#running.errors);
		for (const remote of this.#remotes.values()) await remote.kill();
		await rm(this.#folder, { recursive: true, force: true });
		const left = () => [...this.processes(), ...this.#groups()];
		return eventually(left, (found) => found.length === 0).catch(left);
	}

	/** Control groups that its gateways made and did not remove. */
	#groups(): string[] {
		return groups().filter((path) => {
			const is_ours = this.#gateway_pids.some((pid) => basename(path).includes(`-${pid}-`));
			return is_ours && !this.#groups_before.has(path);
		});
	}

	get #running(): MoorageProcess {
		if (this.#gateway === undefined) throw new Error("there is no gateway");
		return this.#gateway;
	}

	get #ledger(): string {
		return join(this.#folder, "ledger", "calls");
	}

	get #config(): string {
		return join(this.#folder, "moorage.yaml");
	}

	get #environment(): Record<string, string> {
		return { MOORAGE_TEST_MARK: this.#mark, MOORAGE_TEST_LEDGER: this.#ledger };
	}

	async #entry(name: ServerName): Promise<object> {
		if (!name.startsWith("http")) {
			const args = [program, "--era", eraOf(name)];
			const sandbox = { read: [dirname(program)], write: [dirname(this.#ledger)] };
			const entry = { command: process.execPath, args, env: this.#environment, sandbox };
			return name === session_name ? { ...entry, scope: "session" } : entry;
		}
		const remote = new RemoteServer(name, { PATH: process.env["PATH"], ...this.#environment });
		await remote.start();
		this.#remotes.set(name, remote);
		return { url: remote.url };
	}

	async #up(listen: string): Promise<void> {
		if (this.#gateway !== undefined) this.gateway_lines.push(...this.#gateway.errors);
		const own = { PATH: process.env["PATH"], HOME: this.#folder, MOORAGE_TEST_MARK: this.#mark };
		this.#gateway = await startMoorage(this.#config, join(this.#folder, "data"), own, listen);
		this.#gateway_pids.push(this.#gateway.report.pid);
	}
}

function kill(pid: number): void {
	try {
		process.kill(pid, "SIGKILL");
	} catch {
		// It ended by itself in between.
	}
}

/** Control groups of gateways, whoever started them. */
function groups(folder = "/sys/fs/cgroup"): string[] {
	return foldersIn(folder).flatMap((name) => {
		const path = join(folder, name);
		return name.startsWith("moorage-") ? [path] : groups(path);
	});
}

/** Others make and remove groups meanwhile: one that has gone has nothing in it. */
function foldersIn(folder: string): string[] {
	try {
		const entries = readdirSync(folder, { withFileTypes: true });
		return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
	} catch {
		return [];
	}
}
