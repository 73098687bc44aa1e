import type { AppFrames } from "../../admin/app-frames.ts";
import { allowedDomains } from "../../admin/app-frames.ts";
import { type Caller, hasRole } from "../../admin/caller.ts";
import type { Changes, ServerStatus } from "../../admin/contract.ts";
import type {
	ClientLine,
	ConfigFile,
	DashboardBackend,
	FleetReport,
	Framed,
	FrameRequest,
	MyServers,
	Play,
	PlayAnswer,
	PlayRequest,
	Proposal,
} from "../../admin/dashboard-backend.ts";
import { type AdminProblem, problemOf, problemOfFault } from "../../admin/problem.ts";
import { proposeServers } from "../../config/propose.ts";
import type { Ask } from "../../config/propose-asks.ts";
import { withEnding } from "../../config/server-names.ts";
import { directCall, directRequest } from "../../gateway/direct-call.ts";
import { combined_endpoint, type Endpoint } from "../../gateway/endpoint.ts";
import { renderReply } from "../../gateway/render.ts";
import { type Principal, principalOf } from "../../identity/principal.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";
import { wholeBody } from "../../wire/body.ts";
import type { BackendRooms } from "../backend.ts";
import { myServers } from "../my-servers.ts";
import { parseApp } from "./app-resource.ts";
import { readConfigFile, replaceConfigFile } from "./config-text.ts";
import { MemoryWatch } from "./memory-watch.ts";
import { originRules } from "./origin-rules.ts";
import { Plays } from "./plays.ts";
import type { TrafficCounter } from "./traffic.ts";

/** What the dashboard's backend needs beside the rooms. */
export interface DashboardParts {
	readonly traffic: TrafficCounter;
	readonly frames: AppFrames;
	/** How clients are connected to an address; the command line knows. */
	readonly clientLines: (url: string, name: string) => readonly ClientLine[];
	reload(): Promise<Result<unknown, AdminProblem>>;
	plan(text: string): Promise<Result<Changes, AdminProblem>>;
}

/** What the dashboard sees and does, done on the running house. */
export class DaemonDashboard implements DashboardBackend {
	readonly #rooms: BackendRooms;
	readonly #parts: DashboardParts;
	readonly #memory: MemoryWatch;
	readonly #plays: Plays;

	constructor(rooms: BackendRooms, parts: DashboardParts) {
		this.#rooms = rooms;
		this.#parts = parts;
		this.#memory = new MemoryWatch(rooms);
		this.#plays = new Plays(() => rooms.gateway);
	}

	async fleet(): Promise<FleetReport> {
		const { clock, catalogs, hosting, url } = this.#rooms;
		const { traffic } = this.#parts;
		const statuses = hosting.statuses();
		traffic.keep(new Set(statuses.map(({ name }) => name)));
		const memory = await this.#memory.read(statuses);
		return {
			at_ms: clock.now(),
			url,
			sessions: this.#rooms.overview().sessions,
			traffic: traffic.read(),
			servers: statuses.map((status) => {
				const { name, title, driver, state, reason, code, next_try_at_ms, instances } = status;
				const memory_bytes = memory.get(name);
				const running = instances.filter((one) => one.state === "ready" || one.state === "frozen");
				return {
					name,
					title,
					driver,
					state,
					...(reason === undefined ? {} : { reason }),
					...(code === undefined ? {} : { code }),
					...(next_try_at_ms === undefined ? {} : { next_try_at_ms }),
					instances: running.length,
					in_use: instances.reduce((sum, one) => sum + one.leases, 0),
					waiting: instances.reduce((sum, one) => sum + one.waiting, 0),
					tools: catalogs.get(name)?.tools.length ?? 0,
					...(memory_bytes === undefined ? {} : { memory_bytes }),
					url: `${url}/${name}/mcp`,
					traffic: traffic.read(name),
				};
			}),
		};
	}

	mine({ principal }: Caller): MyServers {
		return { servers: myServers(this.#rooms, principal) };
	}

	wake(server: string): Result<ServerStatus, AdminProblem> {
		this.#rooms.hosting.wake(server);
		return this.#status(server);
	}

	freeze(server: string): Result<ServerStatus, AdminProblem> {
		const status = this.#status(server);
		if (!status.ok || this.#rooms.hosting.freeze(server)) return this.#status(server);
		const message = "Nothing of it is awake and idle, or this machine cannot put it to sleep.";
		return fail({ ...problemOf("nothing_to_do", message), next: "Wait until its calls are over." });
	}

	async readConfig(): Promise<Result<ConfigFile, AdminProblem>> {
		const { path } = this.#rooms.plan.source;
		return path === undefined ? fail(no_file) : readConfigFile(path);
	}

	async previewConfig(text: string): Promise<Result<Changes, AdminProblem>> {
		return this.#rooms.plan.source.path === undefined ? fail(no_file) : this.#parts.plan(text);
	}

	async replaceConfig(text: string, etag: string): Promise<Result<ConfigFile, AdminProblem>> {
		const { path } = this.#rooms.plan.source;
		if (path === undefined) return fail(no_file);
		const good = await this.#parts.plan(text);
		if (!good.ok) return good;
		return replaceConfigFile(path, text, etag, () => this.#parts.reload());
	}

	async propose(text: string): Promise<Result<Proposal, AdminProblem>> {
		const proposed = proposeServers(text);
		if ("message" in proposed) {
			const problem = problemOf("invalid_request", proposed.message);
			return fail({ ...problem, next: proposed.next });
		}
		const names = new Set(this.#rooms.hosting.statuses().map(({ name }) => name));
		const { secrets } = await this.#rooms.secrets.desk.list();
		const stored = new Set(secrets.map((secret) => secret.name));
		const secret_names = new Set(stored);
		const servers = proposed.map(({ name: wanted, entry, asks, notes }) => {
			const taken = names.has(wanted);
			const name = freeName(wanted, names, withEnding);
			names.add(name);
			return {
				name,
				entry: { ...entry },
				...("url" in entry ? { url: entry.url } : { runs: [entry.command, ...(entry.args ?? [])] }),
				asks: asks.map((ask) => askOf(ask, stored, secret_names)),
				notes: [...notes],
				taken,
			};
		});
		return succeed({ servers });
	}

	clientLines(name: string, caller: Caller): readonly ClientLine[] | undefined {
		const endpoint = this.#rooms.gateway.endpoints.get(name);
		if (endpoint === undefined || !this.#mayKnow(endpoint, caller)) return undefined;
		return this.#parts.clientLines(this.#rooms.url + endpoint.path, name);
	}

	play(request: PlayRequest, caller: Caller): Result<Play, AdminProblem> {
		const { as } = request;
		if (as !== undefined && /[/]/.test(as.tenant + as.user)) {
			return fail(problemOf("invalid_request", "Neither a tenant nor a user holds a slash."));
		}
		const endpoint = this.#rooms.gateway.endpoints.get(request.server);
		if (endpoint !== undefined && !this.#mayKnow(endpoint, caller)) {
			return fail(unknown(request.server));
		}
		const principal = as === undefined ? caller.principal : this.#known(as);
		return this.#plays.prepare(request, caller, principal);
	}

	answer(play: string, question: string, answer: PlayAnswer, caller: Caller): boolean {
		return this.#plays.answer(play, question, answer, caller);
	}

	async frame(
		{ server, uri }: FrameRequest,
		caller: Caller,
	): Promise<Result<Framed, AdminProblem>> {
		const { endpoints, context } = this.#rooms.gateway;
		const endpoint = endpoints.get(server);
		const plan = this.#rooms.plan.servers.find(({ name }) => name === server);
		if (endpoint === undefined || plan === undefined || !this.#mayKnow(endpoint, caller)) {
			return fail(unknown(server));
		}
		const params = JSON.stringify({ uri });
		const never = new AbortController().signal;
		const method = "resources/read";
		const request = directRequest(method, params);
		if (!request.ok) return fail(problemOf("invalid_request", request.problem.message));
		const reply = await directCall(endpoint, request.value, caller.principal, never, context);
		if (reply.kind === "fault") return fail(problemOfFault(reply.fault));
		const { bytes } = renderReply(reply, { id: "1", method, era: "legacy" });
		const app = parseApp(wholeBody(bytes), uri);
		if (!app.ok) return app;
		const own_host = URL.parse(this.#rooms.url)?.hostname ?? "";
		const { domains, notes } = allowedDomains(app.value.domains, own_host, originRules(plan));
		return succeed({ path: this.#parts.frames.add(app.value.html, domains), notes });
	}

	/** Whether somebody may know that an address exists: not where all its servers are hidden. */
	#mayKnow({ name, servers }: Endpoint, caller: Caller): boolean {
		if (name === combined_endpoint || hasRole(caller, ["operator", "auditor"])) return true;
		const mine = new Set(myServers(this.#rooms, caller.principal).map((one) => one.name));
		return servers.some((server) => mine.has(server.name));
	}

	/** Somebody as they would come themselves: with the roles that are known of them here. */
	#known({ tenant, user }: NonNullable<PlayRequest["as"]>): Principal {
		const { backend, people } = this.#rooms.accounts;
		// Keys count for whoever has no account: those are few, and searched only then.
		const ofKey = () => backend.keys().find((one) => one.tenant === tenant && one.user === user);
		const roles = people.user(tenant, user)?.roles ?? ofKey()?.roles ?? [];
		return principalOf(tenant, user, { roles, via: "local" });
	}

	#status(server: string): Result<ServerStatus, AdminProblem> {
		const status = this.#rooms.hosting.status(server);
		return status === undefined ? fail(unknown(server)) : succeed(status);
	}
}

const no_file = problemOf("config_missing", "The gateway runs without a configuration file.");

function unknown(name: string): AdminProblem {
	return problemOf("server_unknown", `There is no server named "${name}".`);
}

/** An ask with a name for the vault that nothing has yet, neither there nor in this proposal. */
function askOf(
	{ given, path, ...ask }: Ask,
	stored: ReadonlySet<string>,
	taken: Set<string>,
): Proposal["servers"][number]["asks"][number] {
	const secret_name = ask.secret
		? freeName(ask.secret_name, taken, secretWithEnding)
		: ask.secret_name;
	if (ask.secret) taken.add(secret_name);
	return {
		...ask,
		path: [...path],
		secret_name,
		...(given !== undefined && { given }),
		...(ask.secret && stored.has(ask.secret_name) && { stored: ask.secret_name }),
	};
}

/** The vault takes no longer names. */
const secret_name_chars_max = 128;

/** A name of the vault with an ending, as much of it as fits. */
function secretWithEnding(name: string, ending: string): string {
	return name.slice(0, secret_name_chars_max - ending.length) + ending;
}

function freeName(
	wanted: string,
	taken: ReadonlySet<string>,
	end: (name: string, ending: string) => string,
): string {
	if (!taken.has(wanted)) return wanted;
	let number = 2;
	while (taken.has(end(wanted, `-${number}`))) number += 1;
	return end(wanted, `-${number}`);
}
