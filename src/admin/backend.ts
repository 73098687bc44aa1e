import type { Principal } from "../identity/principal.ts";
import type { Result } from "../lib/result.ts";
import type { AlertsBackend } from "./alerts-backend.ts";
import type {
	AddServer,
	Backup,
	ChangedServer,
	Changes,
	Deployed,
	DeployRequest,
	DoctorReport,
	Forked,
	ItemKind,
	LogLine,
	Overview,
	Reloaded,
	ServerDetails,
	ServerStatus,
	VersionList,
} from "./contract.ts";
import type { DashboardBackend } from "./dashboard-backend.ts";
import type { ActionRecorder, EvidenceBackend } from "./evidence-backend.ts";
import type { GrantBackend } from "./grant-backend.ts";
import type { McpSessionBackend } from "./mcp-session-backend.ts";
import type { MyKeyBackend } from "./my-key-backend.ts";
import type { PeopleBackend } from "./people-backend.ts";
import type { PolicyBackend } from "./policy-backend.ts";
import type { AdminProblem } from "./problem.ts";
import type { SafetyBackend } from "./safety-backend.ts";
import type { SecretBackend } from "./secret-backend.ts";
import type { ServerPageBackend } from "./server-page-backend.ts";
import type { TenantBackend } from "./tenant-backend.ts";

/** How somebody looks. */
export interface Looking {
	/** Whether programs may be started to find something out. */
	readonly may_start: boolean;
}

/** What a server offers of one kind, each item as the raw JSON object the server wrote. */
export interface ItemList {
	readonly items: readonly (Buffer | string)[];
	/** Resource templates; empty for tools and prompts. */
	readonly templates: readonly (Buffer | string)[];
	readonly fetched_at_ms: number;
}

/**
 * What the admin API can see and do: the daemon implements it, the API only translates HTTP.
 * Names may be unknown to it: that is an answer (`undefined` or a `server_unknown` problem),
 * never an exception.
 */
export interface AdminBackend {
	/** The gateway, its servers and its endpoints at a glance. */
	status(): Overview;
	/** Every server, in the order of the configuration. */
	servers(): readonly ServerStatus[];
	server(name: string): ServerStatus | undefined;
	/** Everything about one server; asks the machine what it uses. */
	details(name: string): Promise<ServerDetails | undefined>;
	/** The last `tail` lines a server wrote, oldest first. */
	logs(name: string, options: { readonly tail: number }): readonly LogLine[] | undefined;
	/** Calls `listener` for every further line until the returned function is called. */
	followLogs(name: string, listener: (line: LogLine) => void): (() => void) | undefined;
	/**
	 * What a server offers, from the catalog. Where nothing is known of it, it is started and
	 * waited for, bounded, if whoever asks may start programs; else that is a `not_known_yet`.
	 */
	items(server: string, kind: ItemKind, looking: Looking): Promise<Result<ItemList, AdminProblem>>;
	/**
	 * Calls a tool as a client would.
	 * @param args_json raw JSON of an object, passed on byte for byte
	 * @param from who calls; the signal aborts when they go away, and the server is told
	 * @returns the raw JSON of the server's result object; `isError` results are results
	 */
	callTool(
		server: string,
		tool: string,
		args_json: string,
		from: { readonly principal: Principal; readonly signal: AbortSignal },
	): Promise<Result<string, AdminProblem>>;
	/** Writes a server into the configuration file and applies it. */
	addServer(request: AddServer): Promise<Result<ChangedServer, AdminProblem>>;
	/** Takes a server out of the configuration file and applies that. */
	removeServer(name: string): Promise<Result<ChangedServer, AdminProblem>>;
	restartServer(name: string): Promise<Result<ServerStatus, AdminProblem>>;
	/** Reads the configuration again; on mistakes everything runs on as it was. */
	reload(): Promise<Result<Reloaded, AdminProblem>>;
	/** Copies everything that is kept into a new folder. */
	createBackup(path: string): Promise<Result<Backup, AdminProblem>>;
	/** Looks at the machine, or says what was seen last where whoever asks may start nothing. */
	doctor(looking: Looking): Promise<Result<DoctorReport, AdminProblem>>;
	readonly releases: ReleaseBackend;
	readonly dashboard: DashboardBackend;
	readonly people: PeopleBackend;
	readonly policy: PolicyBackend;
	readonly alerts: AlertsBackend;
	readonly evidence: EvidenceBackend & ActionRecorder;
	readonly safety: SafetyBackend;
	readonly secrets: SecretBackend;
	readonly grants: GrantBackend;
	readonly server_page: ServerPageBackend;
	readonly mcp_sessions: McpSessionBackend;
	readonly my_keys: MyKeyBackend;
	readonly tenants: TenantBackend;
}

/** What the admin API can see and do with versions of servers. */
export interface ReleaseBackend {
	versions(server: string): VersionList | undefined;
	/** Resolves once the new version is ready and compared. */
	deploy(server: string, request: DeployRequest): Promise<Result<Deployed, AdminProblem>>;
	rollback(server: string, version: number | undefined): Promise<Result<Deployed, AdminProblem>>;
	/** A version that waits takes all calls, or a fork takes the place of its server. */
	promote(server: string): Promise<Result<Deployed, AdminProblem>>;
	fork(server: string, name: string | undefined): Promise<Result<Forked, AdminProblem>>;
	/** What the configuration file as it is now would change. */
	plan(): Promise<Result<Changes, AdminProblem>>;
}
