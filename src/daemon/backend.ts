import { isAbsolute, join } from "node:path";
import type { AlertsBackend } from "../admin/alerts-backend.ts";
import type { AdminBackend, ItemList, Looking } from "../admin/backend.ts";
import type {
	AddServer,
	Backup,
	ChangedServer,
	DoctorReport,
	ItemKind,
	LogLine,
	Overview,
	Reloaded,
	ServerDetails,
	ServerStatus,
} from "../admin/contract.ts";
import type { PeopleBackend } from "../admin/people-backend.ts";
import type { PolicyBackend } from "../admin/policy-backend.ts";
import { type AdminProblem, problemOf, problemOfFault } from "../admin/problem.ts";
import { makeBackup } from "../backup/make-backup.ts";
import type { Catalogs, ServerCatalog } from "../catalog/catalogs.ts";
import { addServer, type NewServer, removeServer } from "../config/edit.ts";
import type { Plan } from "../config/plan.ts";
import type { ConfigProblem } from "../config/problem.ts";
import type { Reply } from "../gateway/call.ts";
import { directCall, directRequest } from "../gateway/direct-call.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { knownCatalog } from "../gateway/local/known-catalog.ts";
import { probeMachine } from "../hosting/doctor.ts";
import type { Hosting } from "../hosting/hosting.ts";
import { lock_file_name } from "../hosting/packages/lock-file.ts";
import type { People } from "../identity/people.ts";
import type { Clock } from "../lib/clock.ts";
import type { Environment } from "../lib/environment.ts";
import type { Random } from "../lib/random.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { wholeBody } from "../wire/body.ts";
import { memberSpan, rawText, readJson, readString } from "../wire/object.ts";
import { DaemonAlerts } from "./alerts-backend.ts";
import { configFolder } from "./config-files.ts";
import { DaemonDashboard, type DashboardParts } from "./dashboard/backend.ts";
import type { DaemonEvidence } from "./evidence.ts";
import type { GrantDesk } from "./grant-desk.ts";
import { McpSessionDesk } from "./mcp-sessions.ts";
import type { MyKeyDesk } from "./my-keys.ts";
import { product } from "./product.ts";
import { answerOf, DaemonReleaseBackend, type ReleaseRooms } from "./release-backend.ts";
import { DaemonSafety, safetyParts } from "./safety-backend.ts";
import type { SecretDesk } from "./secret-desk.ts";
import { type DetailRooms, detailsOf } from "./server-details.ts";
import { DaemonServerPage } from "./server-page/backend.ts";
import { storeNew } from "./server-page/new-secrets.ts";
import { TenantDesk } from "./tenants.ts";
import type { Wings } from "./wings.ts";

/** The rooms the admin API reaches into. */
export interface BackendRooms extends ReleaseRooms, DetailRooms {
	readonly gateway: Gateway;
	readonly accounts: {
		readonly backend: PeopleBackend;
		readonly my_keys: MyKeyDesk;
		readonly people: People;
	};
	readonly hosting: Hosting;
	readonly catalogs: Catalogs;
	readonly secrets: { readonly desk: SecretDesk };
	readonly grants: { readonly desk: GrantDesk };
	readonly plan: Plan;
	readonly url: string;
	readonly clock: Clock;
	readonly environment: Environment;
	readonly random: Random;
	/** Resolves when everything that was to be written is in the database. */
	flush(): Promise<void>;
	overview(): Overview;
	readonly wings: Wings;
	reload(): Promise<Result<Reloaded, readonly ConfigProblem[]>>;
}

/** What the admin API can see and do, done on the running house. */
export class DaemonBackend implements AdminBackend {
	readonly releases: DaemonReleaseBackend;
	readonly dashboard: DaemonDashboard;
	readonly people: PeopleBackend;
	readonly policy: PolicyBackend;
	readonly alerts: AlertsBackend;
	readonly evidence: DaemonEvidence;
	readonly safety: DaemonSafety;
	readonly secrets: SecretDesk;
	readonly grants: GrantDesk;
	readonly server_page: DaemonServerPage;
	readonly mcp_sessions: McpSessionDesk;
	readonly my_keys: MyKeyDesk;
	readonly tenants: TenantDesk;
	readonly #rooms: BackendRooms;
	/** What was seen of the machine last. */
	#seen: DoctorReport | undefined;

	constructor(
		rooms: BackendRooms,
		parts: Pick<DashboardParts, "traffic" | "frames" | "clientLines">,
	) {
		this.#rooms = rooms;
		this.secrets = rooms.secrets.desk;
		this.grants = rooms.grants.desk;
		this.releases = new DaemonReleaseBackend(rooms);
		this.safety = new DaemonSafety(safetyParts(rooms.wings));
		this.evidence = rooms.wings.house;
		this.alerts = new DaemonAlerts(
			() => rooms.wings.alerts.alerts,
			() => rooms.clock,
		);
		this.dashboard = new DaemonDashboard(rooms, {
			...parts,
			reload: () => this.reload(),
			plan: (text) => this.releases.plan(text),
		});
		this.server_page = new DaemonServerPage(rooms, (text) => this.releases.plan(text));
		this.people = rooms.accounts.backend;
		this.mcp_sessions = new McpSessionDesk(() => rooms.gateway.context);
		this.my_keys = rooms.accounts.my_keys;
		this.policy = rooms.wings.policy;
		this.tenants = new TenantDesk(rooms, parts.traffic, () => this.safety.killSwitches());
	}

	status(): Overview {
		return this.#rooms.overview();
	}

	servers(): readonly ServerStatus[] {
		return this.#rooms.hosting.statuses();
	}

	server(name: string): ServerStatus | undefined {
		return this.#rooms.hosting.status(name);
	}

	details(name: string): Promise<ServerDetails | undefined> {
		return detailsOf(name, this.#rooms);
	}

	logs(name: string, options: { readonly tail: number }): readonly LogLine[] | undefined {
		if (this.server(name) === undefined) return undefined;
		const lines = this.#rooms.hosting.lines(name);
		return lines.slice(Math.max(0, lines.length - options.tail));
	}

	followLogs(name: string, listener: (line: LogLine) => void): (() => void) | undefined {
		if (this.server(name) === undefined) return undefined;
		return this.#rooms.hosting.follow(name, listener);
	}

	async items(
		name: string,
		kind: ItemKind,
		{ may_start }: Looking,
	): Promise<Result<ItemList, AdminProblem>> {
		const server = this.#rooms.plan.servers.find((plan) => plan.name === name);
		if (server === undefined) return fail(unknown(name));
		const { context } = this.#rooms.gateway;
		const known = may_start
			? await knownCatalog(server, context, new AbortController().signal)
			: await this.#catalogOf(name);
		if (known === undefined) return fail(neverRan(name));
		if (!known.ok) return fail(problemOfFault(known.problem));
		return succeed(itemsOf(known.value, kind));
	}

	/** What is known of a server, or is just being read; undefined where it would have to start. */
	async #catalogOf(name: string) {
		const { catalogs } = this.#rooms;
		const known = catalogs.get(name);
		return known === undefined ? catalogs.refreshing(name) : succeed(known);
	}

	async callTool(
		name: string,
		tool: string,
		args_json: string,
		{ principal, signal }: Parameters<AdminBackend["callTool"]>[3],
	): Promise<Result<string, AdminProblem>> {
		const endpoint = this.#rooms.gateway.endpoints.get(name);
		if (endpoint === undefined || endpoint.kind !== "single") return fail(unknown(name));
		const params = `{"name":${JSON.stringify(tool)},"arguments":${args_json}}`;
		const { context } = this.#rooms.gateway;
		const request = directRequest("tools/call", params);
		if (!request.ok) return fail(problemOf("invalid_request", request.problem.message));
		return toolResult(await directCall(endpoint, request.value, principal, signal, context));
	}

	async addServer(request: AddServer): Promise<Result<ChangedServer, AdminProblem>> {
		const path = this.#rooms.plan.source.path;
		if (path === undefined) return fail(no_file);
		if (this.server(request.name) !== undefined) {
			const message = `There is a server named "${request.name}" already.`;
			return fail(problemOf("server_exists", message));
		}
		const stored = await storeNew(this.secrets, request.secrets ?? {});
		if (!stored.ok) return stored;
		// The contract's optional members are absent, never undefined: they come from JSON.
		const edited = await addServer(path, request.name, request.entry as NewServer);
		const reloaded = edited.ok
			? await this.#reloadOrUndo(() => removeServer(path, request.name))
			: fail(refusedConfig([edited.problem]));
		if (!reloaded.ok) {
			await stored.value.undo();
			return reloaded;
		}
		const url = `${this.#rooms.url}/${request.name}/mcp`;
		return succeed({ name: request.name, config: path, url });
	}

	async removeServer(name: string): Promise<Result<ChangedServer, AdminProblem>> {
		const { releases } = this.#rooms;
		if (releases.forks.some((fork) => fork.name === name)) {
			const removed = answerOf(await releases.removeFork(name), name);
			if (!removed.ok) return removed;
			return succeed({ name, config: "" });
		}
		const path = this.#rooms.plan.source.path;
		if (path === undefined) return fail(no_file);
		const server = this.#rooms.plan.servers.find((plan) => plan.name === name);
		if (server === undefined) return fail(unknown(name));
		const edited = await removeServer(path, server.title);
		if (!edited.ok) return fail(refusedConfig([edited.problem]));
		const reloaded = await this.reload();
		return reloaded.ok ? succeed({ name, config: path }) : reloaded;
	}

	async restartServer(name: string): Promise<Result<ServerStatus, AdminProblem>> {
		if (this.server(name) === undefined) return fail(unknown(name));
		await this.#rooms.hosting.restart(name);
		const status = this.server(name);
		return status === undefined ? fail(unknown(name)) : succeed(status);
	}

	async reload(): Promise<Result<Reloaded, AdminProblem>> {
		const outcome = await this.#rooms.reload();
		return outcome.ok ? outcome : fail(refusedConfig(outcome.problem));
	}

	async createBackup(path: string): Promise<Result<Backup, AdminProblem>> {
		if (!isAbsolute(path)) {
			return fail(problemOf("invalid_request", "path must be absolute."));
		}
		const { clock, config, hosting, plan, random } = this.#rooms;
		const beside = configFolder(config);
		const file = config.source.path;
		const made = await makeBackup(path, {
			data: plan.data,
			config: [
				...(file === undefined ? [] : [file]),
				...(beside === undefined ? [] : [join(beside, lock_file_name)]),
			],
			version: product.version,
			clock,
			random,
			still: (server) => hosting.still(server),
			holdAudit: () => this.evidence.holdAudit(),
			flush: () => this.#rooms.flush(),
		});
		return made.ok ? made : fail(problemOf("backup_failed", made.problem.message));
	}

	async doctor({ may_start }: Looking): Promise<Result<DoctorReport, AdminProblem>> {
		if (may_start) this.#seen = await this.#look();
		return this.#seen === undefined ? fail(never_looked) : succeed(this.#seen);
	}

	async #look(): Promise<DoctorReport> {
		const { clock, environment, plan } = this.#rooms;
		const checks = await probeMachine({ clock, environment, data_dir: plan.data });
		return {
			checks: checks.map(({ name, status, detail, remedy }) => ({
				name,
				status,
				summary: detail,
				...(remedy === undefined ? {} : { next: remedy }),
			})),
		};
	}

	/** A server that makes the configuration invalid is taken out again at once. */
	async #reloadOrUndo(undo: () => Promise<unknown>): Promise<Result<Reloaded, AdminProblem>> {
		const reloaded = await this.reload();
		if (!reloaded.ok) await undo();
		return reloaded;
	}
}

const no_file = problemOf("config_missing", "The gateway runs without a configuration file.");

function unknown(name: string): AdminProblem {
	return problemOf("server_unknown", `There is no server named "${name}".`);
}

const never_looked = problemOf(
	"not_known_yet",
	"Nobody has looked at this machine since the gateway was started.",
);

function neverRan(name: string): AdminProblem {
	const message = `What "${name}" offers is not known yet: it has not run here.`;
	const next = `Start it with \`moorage restart ${name}\`, or its button; that needs the role operator.`;
	return { ...problemOf("not_known_yet", message), next };
}

function refusedConfig(problems: readonly ConfigProblem[]): AdminProblem {
	const message = "The configuration has mistakes; what ran before runs on.";
	return { ...problemOf("config_refused", message), config: problems };
}

function itemsOf(catalog: ServerCatalog, kind: ItemKind): ItemList {
	return {
		items: catalog[kind].map(({ bytes }) => bytes),
		templates: kind === "resources" ? catalog.templates.map(({ bytes }) => bytes) : [],
		fetched_at_ms: catalog.fetched_at_ms,
	};
}

/** The raw result of a call, or the problem it ended with. */
function toolResult(reply: Reply): Result<string, AdminProblem> {
	switch (reply.kind) {
		case "result":
			return succeed(reply.json);
		case "pieces":
			return succeed(wholeBody(reply.json).toString("utf8"));
		case "fault":
			return fail(problemOfFault(reply.fault));
		case "error":
			return fail({ ...problemOf("rpc_error", reply.message), rpc_code: reply.code });
		case "message": {
			const { bytes, result, error } = reply.message;
			if (result !== undefined) return succeed(rawText(bytes, result.span));
			const text = readString(bytes, memberSpan(error, "message")) ?? "The server gave no reason.";
			const code = readJson(bytes, memberSpan(error, "code"));
			const rpc_code = typeof code === "number" ? code : undefined;
			return fail({ ...problemOf("rpc_error", text), rpc_code });
		}
	}
}
