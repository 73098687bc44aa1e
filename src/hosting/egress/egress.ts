import { type FileHandle, mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { EgressPlan } from "../../config/plan.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import type { LateProxy, LoopbackWay, SandboxWay } from "../../upstreams/driver.ts";
import { type Dial, systemDial } from "./dial.ts";
import { loopbackWay, sandboxWay, writeForwarder } from "./forwarder.ts";
import { parseHostRule } from "./host-rules.ts";
import type { EgressRules, Resolve } from "./judge.ts";
import { writeLateProxy } from "./late-proxy.ts";
import type { EgressOutcome, EgressReport } from "./ledger.ts";
import { default_proxy_limits, EgressProxy, type ProxyLimits, type ProxyParts } from "./proxy.ts";
import { EgressRecords } from "./records.ts";
import { oneAtATime, systemResolve } from "./resolver.ts";
import { formatTarget, type Target } from "./target.ts";

/** What egress is made of. */
export interface EgressParts {
	/** Absolute folder of its own for sockets; made, and emptied of what an earlier run left. */
	readonly folder: string;
	readonly clock: Clock;
	readonly resolve?: Resolve;
	readonly dial?: Dial;
	readonly limits?: ProxyLimits;
	/** Given where programs share the machine's network, and have no sockets but TCP's. */
	readonly loopback?: Random | undefined;
	/** What servers asked for before; undefined: nothing, and nothing is stored. */
	readonly records?: EgressRecords;
	/** Hears of each host the first time that a server does not reach it, and why. */
	onRefused?(server: string, text: string): void;
}

/** Whose way out is opened, and where it leads. */
export interface EgressRequest {
	readonly server: string;
	readonly plan: EgressPlan;
	/** An untrusted server reaches listed hosts only, whatever its plan says. */
	readonly untrusted: boolean;
}

/** The way out of one instance. */
export interface EgressGate {
	/** Absolute path of the unix socket on which its proxy listens, to be bound into a sandbox. */
	readonly socket_path: string;
	/** How a sandbox leads to it; undefined where there is no forwarder for this machine. */
	readonly way: SandboxWay | undefined;
	/** Ends all its connections and removes the socket. Idempotent. */
	close(): Promise<void>;
}

/**
 * Longest path that a unix socket can be bound to everywhere. Longer ones are bound through a
 * descriptor of their folder, which Linux has.
 */
const socket_path_bytes_max = 100;

const secret_bytes = 24;

/** How long nothing more is said of a host that could not be reached. */
const missed_again_ms = 10 * 60_000;
/** Servers and hosts of which that is remembered. */
const missed_max = 1024;

/** Opens the ways out of sandboxes, one proxy an instance, and keeps what servers asked for. */
export class Egress {
	readonly #parts: EgressParts;
	readonly #records: EgressRecords;
	readonly #gates = new Set<EgressGate>();
	#folder: Promise<Folder> | undefined;
	#count = 0;
	/** When it was last said of a server and host that the one could not reach the other. */
	readonly #missed_at_ms = new Map<string, number>();

	constructor(parts: EgressParts) {
		this.#parts = parts;
		this.#records = parts.records ?? new EgressRecords();
	}

	/**
	 * Opens the way out of one instance; undefined where the plan leaves the network open.
	 * Rejects where the folder cannot be used.
	 */
	async open(request: EgressRequest): Promise<EgressGate | undefined> {
		const rules = rulesOf(request);
		if (rules === undefined) return undefined;
		const { folder, clock, dial = systemDial, limits = default_proxy_limits } = this.#parts;
		this.#folder ??= prepareFolder(folder);
		const { handle, forwarder_path, late } = await this.#folder;
		this.#count += 1;
		const name = `${this.#count}.sock`;
		const socket_path = join(folder, name);
		const parts = {
			server: request.server,
			rules,
			clock,
			dial,
			limits,
			resolve: oneAtATime(this.#parts.resolve ?? systemResolve),
			note: (outcome: EgressOutcome, target: Target, why?: string) =>
				this.#note(request.server, outcome, target, why),
			missed: (target: Target, why: string) => this.#missed(request.server, target, why),
		};
		const proxy = new EgressProxy(parts);
		const is_long = Buffer.byteLength(socket_path) > socket_path_bytes_max;
		await proxy.listen(is_long ? `/proc/self/fd/${handle.fd}/${name}` : socket_path);
		const guarded = await this.#openLoopback(parts).catch(async (error: unknown) => {
			await proxy.close();
			throw error;
		});
		const way =
			forwarder_path === undefined
				? undefined
				: { ...sandboxWay(socket_path, forwarder_path), loopback: guarded?.way, late };
		const gate: EgressGate = {
			socket_path,
			way,
			close: async () => {
				if (this.#gates.delete(gate)) await Promise.all([proxy.close(), guarded?.proxy.close()]);
			},
		};
		this.#gates.add(gate);
		return gate;
	}

	/** A second door to the same rules, for programs that get to no socket of the file system. */
	async #openLoopback(
		parts: ProxyParts,
	): Promise<{ readonly proxy: EgressProxy; readonly way: LoopbackWay } | undefined> {
		const { loopback } = this.#parts;
		if (loopback === undefined) return undefined;
		const secret = loopback.bytes(secret_bytes).toString("base64url");
		const proxy = new EgressProxy({ ...parts, secret });
		return { proxy, way: loopbackWay(await proxy.listenOnLoopback(), secret) };
	}

	/** What a server asked of the network, also before the gateway was started. */
	report(server: string): EgressReport {
		return this.#records.report(server);
	}

	/** Hands what was noted to whoever stores it. */
	flush(): void {
		this.#records.flush();
	}

	/** Closes every way out. */
	async close(): Promise<void> {
		await Promise.all([...this.#gates].map((gate) => gate.close()));
		const prepared = await this.#folder?.catch(() => undefined);
		this.#folder = undefined;
		await prepared?.handle.close();
	}

	#note(server: string, outcome: EgressOutcome, target: Target, why?: string): void {
		const is_new = this.#records.note(server, outcome, target, this.#parts.clock.now());
		if (!is_new || outcome === "used") return;
		const what = formatTarget(target);
		const past = this.#parts.loopback === undefined ? "where there is no network" : "and may not";
		const text =
			outcome === "refused"
				? `was refused a connection to ${what}${why === undefined ? "" : `: ${why}`}`
				: `tried ${what} past its proxy, ${past}`;
		this.#parts.onRefused?.(server, text);
	}

	/** Said of each host, and again after some time: a client that retries would fill the log. */
	#missed(server: string, target: Target, why: string): void {
		const what = formatTarget(target);
		const key = `${server} ${what}`;
		const now_ms = this.#parts.clock.now();
		const said_ms = this.#missed_at_ms.get(key);
		if (said_ms !== undefined && now_ms - said_ms < missed_again_ms) return;
		this.#missed_at_ms.delete(key);
		this.#missed_at_ms.set(key, now_ms);
		const [oldest] = this.#missed_at_ms.keys();
		if (this.#missed_at_ms.size > missed_max && oldest !== undefined) {
			this.#missed_at_ms.delete(oldest);
		}
		this.#parts.onRefused?.(server, `found no way to ${what}: ${why}`);
	}
}

function rulesOf({ plan, untrusted }: EgressRequest): EgressRules | undefined {
	if (plan.kind === "hosts") {
		const rules = plan.hosts.map(parseHostRule).filter((rule) => rule !== undefined);
		return { kind: "hosts", rules };
	}
	if (untrusted) return { kind: "hosts", rules: [] };
	return plan.kind === "open" ? undefined : { kind: "public" };
}

interface Folder {
	readonly handle: FileHandle;
	readonly forwarder_path: string | undefined;
	readonly late: LateProxy | undefined;
}

/** Only the gateway's own user gets to the sockets; each sandbox is given its own. */
async function prepareFolder(folder: string): Promise<Folder> {
	await rm(folder, { recursive: true, force: true });
	await mkdir(folder, { recursive: true, mode: 0o700 });
	const forwarder_path = await writeForwarder(folder, process.platform, process.arch);
	const late = await writeLateProxy(folder);
	return { handle: await open(folder, "r"), forwarder_path, late };
}
