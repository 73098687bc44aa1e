import type { Duplex } from "node:stream";
import type { Clock } from "../../lib/clock.ts";
import type { Environment } from "../../lib/environment.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";
import { addressText, type EngineAddress, engineAddresses } from "./addresses.ts";
import type { CreateBody } from "./create-body.ts";
import { type EngineAnswer, EngineConnection, type EngineRequest } from "./engine-connection.ts";
import {
	type EnginePowers,
	type RawInfo,
	type RawPodmanInfo,
	readPowers,
} from "./engine-powers.ts";
import type { EngineProblem } from "./engine-problem.ts";
import { type PullProgress, PullReader } from "./pull-reader.ts";

/** An image as an engine has it. */
export interface ImageDetails {
	/** `sha256:...`, over the image's configuration: the same bytes have the same id. */
	readonly id: string;
	/** `name@sha256:...` as registries know it; empty for an image that was built or loaded. */
	readonly digests: readonly string[];
	/** The user that it runs as by itself; empty for root. */
	readonly user: string;
	/** What it runs by itself: the program, and its arguments. */
	readonly entrypoint: readonly string[];
	readonly command: readonly string[];
	/** `linux/amd64`. */
	readonly platform: string;
}

/** A container's state once it has ended. */
export interface EndedState {
	/** It has not ended at all. */
	readonly is_running: boolean;
	readonly exit_code: number;
	readonly out_of_memory: boolean;
	/** What the engine says went wrong; empty where nothing did. */
	readonly error: string;
}

/** A container as a list shows it. */
export interface ListedContainer {
	readonly id: string;
	readonly labels: Readonly<Record<string, string>>;
}

/** What an engine made of the settings of a container that it was asked for. */
export interface ContainerSettings {
	/** As the engine names it. */
	readonly runtime: string;
	readonly has_memory_limit: boolean;
	readonly has_processes_limit: boolean;
}

/** What a container uses, as the engine counts it. */
export interface EngineStats {
	readonly memory_bytes: number;
	readonly cpu_ms: number;
	readonly processes: number;
}

/** An engine that answered, and where its requests go. */
interface Found {
	readonly address: EngineAddress;
	readonly connection: EngineConnection;
	readonly prefix: string;
}

/** Newest revision of the API that this client was written for. */
const api_minor_max = 51;
const ping_ms = 2_000;
/** Far above what any verb takes on a machine that works at all. */
const verb_ms = 60_000;

/**
 * A client of the Docker Engine API, which Podman speaks too. It looks for an engine at the
 * first request and again after one that could not be reached; making it does nothing.
 */
export class Engine {
	readonly #environment: Environment;
	readonly #clock: Clock;
	#found: Promise<Result<Found, EngineProblem>> | undefined;
	/** Of the engine that was found. */
	#powers: Promise<Result<EnginePowers, EngineProblem>> | undefined;

	constructor(environment: Environment, clock: Clock) {
		this.#environment = environment;
		this.#clock = clock;
	}

	/** Where an engine answers; undefined where none does. */
	async where(): Promise<string | undefined> {
		const found = await this.#find();
		return found.ok ? addressText(found.value.address) : undefined;
	}

	/** What the engine can do with its containers. */
	powers(): Promise<Result<EnginePowers, EngineProblem>> {
		this.#powers ??= this.#askPowers().then((powers) => {
			if (!powers.ok) this.#powers = undefined;
			return powers;
		});
		return this.#powers;
	}

	/** An image on this machine; a problem with status 404 where there is none of that name. */
	async image(name: string): Promise<Result<ImageDetails, EngineProblem>> {
		const answer = await this.#json<RawImage>("GET", `/images/${pathOf(name)}/json`);
		if (!answer.ok) return answer;
		const { Id, RepoDigests, Config, Os, Architecture } = answer.value;
		return succeed({
			// Podman leaves the name of the hash out in some places.
			id: Id.includes(":") ? Id : `sha256:${Id}`,
			digests: RepoDigests ?? [],
			user: Config?.User ?? "",
			entrypoint: Config?.Entrypoint ?? [],
			command: Config?.Cmd ?? [],
			platform: `${Os}/${Architecture}`,
		});
	}

	/** Fetches an image from its registry. */
	async pull(
		name: string,
		progress: PullProgress,
		signal: AbortSignal | undefined,
	): Promise<Result<void, EngineProblem>> {
		const reader = new PullReader(progress);
		const tag = /[@:][^/]*$/.test(name) ? "" : "&tag=latest";
		const answer = await this.#send({
			method: "POST",
			path: `/images/create?fromImage=${encodeURIComponent(name)}${tag}`,
			wait_ms: undefined,
			signal,
			onData: (bytes) => reader.push(bytes),
		});
		if (!answer.ok) return answer;
		// The status is sent before the work begins, so a failure stands in the last line.
		const message = reader.end();
		return message === undefined
			? succeed(undefined)
			: fail({ kind: "refused", status: 0, message });
	}

	/** Makes a container that does not run yet. */
	async create(
		name: string,
		body: CreateBody,
	): Promise<Result<{ id: string; warnings: readonly string[] }, EngineProblem>> {
		const path = `/containers/create?name=${encodeURIComponent(name)}`;
		const answer = await this.#json<{ Id: string; Warnings: string[] | null }>("POST", path, body);
		if (!answer.ok) return answer;
		return succeed({ id: answer.value.Id, warnings: answer.value.Warnings ?? [] });
	}

	/** What became of a container's settings once the engine had made it. */
	async settingsOf(id: string): Promise<Result<ContainerSettings, EngineProblem>> {
		const answer = await this.#json<RawContainer>("GET", `/containers/${id}/json`);
		if (!answer.ok) return answer;
		const { Runtime = "", Memory, PidsLimit } = answer.value.HostConfig ?? {};
		return succeed({
			runtime: Runtime,
			has_memory_limit: (Memory ?? 0) > 0,
			has_processes_limit: (PidsLimit ?? 0) > 0,
		});
	}

	/** A connection to the standard streams of a container; to be made before it starts. */
	async attach(id: string): Promise<Result<Duplex, EngineProblem>> {
		const found = await this.#find();
		if (!found.ok) return found;
		const { connection, prefix } = found.value;
		const path = `${prefix}/containers/${id}/attach?stream=1&stdin=1&stdout=1&stderr=1`;
		return await connection.upgrade({ method: "POST", path, wait_ms: verb_ms });
	}

	start(id: string): Promise<Result<void, EngineProblem>> {
		return this.#verb("POST", `/containers/${id}/start`);
	}

	/** Resolves when a container has ended, however long that takes. */
	async waitForEnd(id: string): Promise<Result<void, EngineProblem>> {
		const path = `/containers/${id}/wait`;
		const answer = await this.#send({ method: "POST", path, wait_ms: undefined });
		return answer.ok ? succeed(undefined) : answer;
	}

	/** How a container ended. */
	async endedState(id: string): Promise<Result<EndedState, EngineProblem>> {
		const answer = await this.#json<RawContainer>("GET", `/containers/${id}/json`);
		if (!answer.ok) return answer;
		const { ExitCode, OOMKilled, Error: error, Running: is_running = false } = answer.value.State;
		return succeed({
			is_running,
			exit_code: ExitCode,
			out_of_memory: OOMKilled,
			error: error ?? "",
		});
	}

	pause(id: string): Promise<Result<void, EngineProblem>> {
		return this.#verb("POST", `/containers/${id}/pause`);
	}

	unpause(id: string): Promise<Result<void, EngineProblem>> {
		return this.#verb("POST", `/containers/${id}/unpause`);
	}

	/** Sends a signal to a container's first process. */
	signal(id: string, signal: "SIGTERM" | "SIGKILL"): Promise<Result<void, EngineProblem>> {
		return this.#verb("POST", `/containers/${id}/kill?signal=${signal}`);
	}

	/** Ends a container by force if it runs, and removes it. */
	remove(id: string): Promise<Result<void, EngineProblem>> {
		return this.#verb("DELETE", `/containers/${id}?force=1&v=1`);
	}

	/** Changes how much of the processor a running container may use. */
	limitCpu(
		id: string,
		limit: { readonly period_us: number; readonly quota_us: number },
	): Promise<Result<void, EngineProblem>> {
		const body = { CpuPeriod: limit.period_us, CpuQuota: limit.quota_us };
		return this.#verb("POST", `/containers/${id}/update`, body);
	}

	/** What a container uses at this moment. */
	async stats(id: string): Promise<Result<EngineStats, EngineProblem>> {
		const path = `/containers/${id}/stats?stream=false&one-shot=true`;
		const answer = await this.#json<RawStats>("GET", path);
		return answer.ok ? succeed(readStats(answer.value)) : answer;
	}

	/** Containers with a label, whatever their state. */
	async list(
		label: string,
		wait_ms = verb_ms,
	): Promise<Result<readonly ListedContainer[], EngineProblem>> {
		const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
		const path = `/containers/json?all=1&filters=${filters}`;
		const answer = await this.#json<{ Id: string; Labels: Record<string, string> | null }[]>(
			"GET",
			path,
			undefined,
			wait_ms,
		);
		if (!answer.ok) return answer;
		return succeed(answer.value.map(({ Id, Labels }) => ({ id: Id, labels: Labels ?? {} })));
	}

	async #askPowers(): Promise<Result<EnginePowers, EngineProblem>> {
		const info = await this.#json<RawInfo>("GET", "/info");
		if (!info.ok) return info;
		if (info.value.Rootless !== true) return succeed(readPowers(info.value, undefined));
		const own = await this.#json<RawPodmanInfo>("GET", "/libpod/info");
		return succeed(readPowers(info.value, own.ok ? own.value : undefined));
	}

	async #verb(
		method: EngineRequest["method"],
		path: string,
		body?: object,
	): Promise<Result<void, EngineProblem>> {
		const answer = await this.#send({ method, path, body, wait_ms: verb_ms });
		return answer.ok ? succeed(undefined) : answer;
	}

	async #json<Shape>(
		method: EngineRequest["method"],
		path: string,
		body?: object,
		wait_ms = verb_ms,
	): Promise<Result<Shape, EngineProblem>> {
		const answer = await this.#send({ method, path, body, wait_ms });
		if (!answer.ok) return answer;
		try {
			return succeed(JSON.parse(answer.value.body.toString("utf8")) as Shape);
		} catch {
			return fail({ kind: "broken", detail: "its answer is not JSON" });
		}
	}

	async #send(asked: EngineRequest): Promise<Result<EngineAnswer, EngineProblem>> {
		const found = await this.#find();
		if (!found.ok) return found;
		const { connection, prefix } = found.value;
		const answer = await connection.send({ ...asked, path: `${prefix}${asked.path}` });
		// An engine that was updated may speak another version, or listen elsewhere.
		if (!answer.ok && answer.problem.kind === "broken") {
			this.#found = undefined;
			this.#powers = undefined;
		}
		return answer;
	}

	#find() {
		this.#found ??= this.#look().then((found) => {
			if (!found.ok) this.#found = undefined;
			return found;
		});
		return this.#found;
	}

	/** The first address where an engine answers; all are asked at once. */
	async #look(): Promise<Result<Found, EngineProblem>> {
		const addresses = engineAddresses(this.#environment);
		const answers = await Promise.all(
			addresses.map(async (address) => {
				const connection = new EngineConnection(address, this.#clock);
				const ping = { method: "GET", path: "/_ping", wait_ms: ping_ms } as const;
				return { address, connection, answer: await connection.send(ping) };
			}),
		);
		for (const { address, connection, answer } of answers) {
			if (answer.ok) return succeed({ address, connection, prefix: prefixOf(answer.value) });
		}
		const details = answers.map(({ answer }) => (answer.ok ? "" : JSON.stringify(answer.problem)));
		const tried = addresses.map(addressText);
		return fail({ kind: "missing", tried, detail: details.join(", ") });
	}
}

/** The newest version that both sides know: engines drop old ones, and get new ones. */
function prefixOf(ping: EngineAnswer): string {
	const said = /^1\.(\d{1,3})$/.exec(String(ping.headers["api-version"]))?.[1];
	return said === undefined ? "" : `/v1.${Math.min(Number(said), api_minor_max)}`;
}

/** An image's name in a path: its slashes are part of the path, nothing else is special. */
function pathOf(name: string): string {
	return name.split("/").map(encodeURIComponent).join("/");
}

function readStats({ memory_stats, cpu_stats, pids_stats }: RawStats): EngineStats {
	const { usage = 0, stats = {} } = memory_stats ?? {};
	// Cached files can be dropped at once. The name is that of cgroup v1, or of v2.
	const cached = stats["total_inactive_file"] ?? stats["inactive_file"] ?? 0;
	return {
		memory_bytes: Math.max(0, usage - cached),
		cpu_ms: (cpu_stats?.cpu_usage?.total_usage ?? 0) / 1e6,
		processes: pids_stats?.current ?? 0,
	};
}

interface RawImage {
	readonly Id: string;
	readonly Os: string;
	readonly Architecture: string;
	readonly RepoDigests?: readonly string[] | null;
	readonly Config?: {
		readonly User?: string;
		readonly Entrypoint?: readonly string[] | null;
		readonly Cmd?: readonly string[] | null;
	} | null;
}

interface RawContainer {
	readonly HostConfig?: { Runtime?: string; Memory?: number; PidsLimit?: number | null };
	readonly State: { ExitCode: number; OOMKilled: boolean; Error?: string; Running?: boolean };
}

interface RawStats {
	readonly memory_stats?: { usage?: number; stats?: Record<string, number> };
	readonly cpu_stats?: { cpu_usage?: { total_usage?: number } };
	readonly pids_stats?: { current?: number };
}
