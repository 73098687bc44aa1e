import type { AdminBackend, ItemList, Looking } from "../../src/admin/backend.ts";
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
} from "../../src/admin/contract.ts";
import { type AdminProblem, problemOf } from "../../src/admin/problem.ts";
import { fail, type Result, succeed } from "../../src/lib/result.ts";
import { recordingAlerts } from "./recording-alerts.ts";
import { RecordingDashboard } from "./recording-dashboard.ts";
import { RecordingEvidence } from "./recording-evidence.ts";
import { RecordingGrants } from "./recording-grants.ts";
import { RecordingMcpSessions, RecordingMyKeys, RecordingTenants } from "./recording-own.ts";
import { RecordingPeople } from "./recording-people.ts";
import { RecordingPolicy } from "./recording-policy.ts";
import { RecordingReleases } from "./recording-releases.ts";
import { RecordingSafety } from "./recording-safety.ts";
import { RecordingSecrets } from "./recording-secrets.ts";
import { RecordingServerPage } from "./recording-server-page.ts";

/** A backend that does nothing and remembers what it was asked. It knows one server, `time`. */
export class RecordingBackend implements AdminBackend {
	/** Every call made, as `name(arguments)`. */
	readonly calls: string[] = [];
	readonly grants = new RecordingGrants(this.calls);
	readonly secrets = new RecordingSecrets(this.calls);
	readonly server_page = new RecordingServerPage(this.calls);
	readonly mcp_sessions = new RecordingMcpSessions(this.calls);
	readonly my_keys = new RecordingMyKeys(this.calls);
	readonly tenants = new RecordingTenants(this.calls);
	readonly releases = new RecordingReleases(this.calls);
	readonly people = new RecordingPeople(this.calls);
	readonly policy = new RecordingPolicy(this.calls);
	readonly alerts = recordingAlerts(this.calls);
	readonly evidence = new RecordingEvidence(this.calls);
	readonly safety = new RecordingSafety(this.calls);
	readonly dashboard = new RecordingDashboard(this.calls, () => time_status);
	/** Whoever follows the log of `time`. */
	readonly followers = new Set<(line: LogLine) => void>();
	/** What the next calls of tools answer; the raw arguments are in `calls`. */
	tool_reply: Result<string, AdminProblem> = succeed(
		'{"content":[{"type":"text","text":"12:00"}],"big":12345678901234567890}',
	);
	/** Resolves `callTool` only when the signal aborts. */
	tool_hangs = false;
	/** Rejects in `reload`. */
	reload_throws = false;
	url = "http://127.0.0.1:1";
	data = "/data";
	items_reply: ItemList = {
		items: ['{"name":"now","inputSchema":{"type":"object"},"x":1.0}'],
		templates: ['{"uriTemplate":"file:///{path}","name":"file"}'],
		fetched_at_ms: 1000,
	};

	status(): Overview {
		this.calls.push("status()");
		return {
			url: this.url,
			pid: process.pid,
			version: "0.0.0",
			data: this.data,
			config: "/etc/moorage.yaml",
			uptime_ms: 61_000,
			sessions: 2,
			servers: [
				{
					name: "time",
					title: "time",
					state: "ready",
					tools: 1,
					resources: 0,
					prompts: 0,
					url: `${this.url}/time/mcp`,
				},
			],
			endpoints: [{ name: "mcp", url: `${this.url}/mcp`, servers: ["time"] }],
		};
	}

	servers(): readonly ServerStatus[] {
		this.calls.push("servers()");
		return [time_status];
	}

	server(name: string): ServerStatus | undefined {
		this.calls.push(`server(${name})`);
		return name === "time" ? time_status : undefined;
	}

	async details(name: string): Promise<ServerDetails | undefined> {
		this.calls.push(`details(${name})`);
		return name === "time" ? time_details : undefined;
	}

	logs(name: string, options: { readonly tail: number }): readonly LogLine[] | undefined {
		this.calls.push(`logs(${name}, ${options.tail})`);
		return name === "time" ? [logLine("started")].slice(0, options.tail) : undefined;
	}

	followLogs(name: string, listener: (line: LogLine) => void): (() => void) | undefined {
		this.calls.push(`followLogs(${name})`);
		if (name !== "time") return undefined;
		this.followers.add(listener);
		return () => {
			this.followers.delete(listener);
		};
	}

	async items(
		server: string,
		kind: ItemKind,
		{ may_start }: Looking,
	): Promise<Result<ItemList, AdminProblem>> {
		this.calls.push(`items(${server}, ${kind}, ${lookOf(may_start)})`);
		return server === "time" ? succeed(this.items_reply) : unknown(server);
	}

	async callTool(
		server: string,
		tool: string,
		args_json: string,
		{ signal }: Parameters<AdminBackend["callTool"]>[3],
	): Promise<Result<string, AdminProblem>> {
		this.calls.push(`callTool(${server}, ${tool}, ${args_json})`);
		if (server !== "time") return unknown(server);
		if (this.tool_hangs) {
			await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
			this.calls.push("aborted");
			return fail(problemOf("call_cancelled", "The call was cancelled."));
		}
		return this.tool_reply;
	}

	async addServer(request: AddServer): Promise<Result<ChangedServer, AdminProblem>> {
		this.calls.push(`addServer(${JSON.stringify(request)})`);
		if (request.name === "time") {
			return fail(problemOf("server_exists", 'There already is a server named "time".'));
		}
		const url = `${this.url}/${request.name}/mcp`;
		return succeed({ name: request.name, config: "/etc/moorage.yaml", url });
	}

	async removeServer(name: string): Promise<Result<ChangedServer, AdminProblem>> {
		this.calls.push(`removeServer(${name})`);
		if (name === "time-fork") return succeed({ name, config: "" });
		return name === "time" ? succeed({ name, config: "/etc/moorage.yaml" }) : unknown(name);
	}

	async restartServer(name: string): Promise<Result<ServerStatus, AdminProblem>> {
		this.calls.push(`restartServer(${name})`);
		return name === "time" ? succeed(time_status) : unknown(name);
	}

	async reload(): Promise<Result<Reloaded, AdminProblem>> {
		this.calls.push("reload()");
		if (this.reload_throws) throw new Error("a defect");
		return succeed({
			added: ["b"],
			removed: [],
			changed: ["time"],
			settings: ["policy"],
			warnings: [],
		});
	}

	createBackup(path: string): Promise<Result<Backup, AdminProblem>> {
		this.calls.push(`createBackup(${path})`);
		return Promise.resolve(
			path === "/taken"
				? fail(problemOf("backup_failed", "/taken exists already."))
				: succeed({ path, files: 1, bytes: 2, servers: ["time"] }),
		);
	}

	async doctor({ may_start }: Looking): Promise<Result<DoctorReport, AdminProblem>> {
		this.calls.push(`doctor(${lookOf(may_start)})`);
		return succeed({ checks: [{ name: "node", status: "ok", summary: "Node 24 runs this." }] });
	}
}

function lookOf(may_start: boolean): string {
	return may_start ? "may start" : "as known";
}

const time_status: ServerStatus = {
	name: "time",
	title: "time",
	driver: "stdio",
	state: "ready",
	restarts: 0,
	instances: [{ id: 1, scope_key: "", state: "ready", leases: 0, waiting: 0 }],
};

/** What `details` answers. */
export const time_details: ServerDetails = {
	status: time_status,
	scope: "shared",
	untrusted: false,
	sandbox: "on",
	network: "egress: none",
	usage: [{ instance: 1, memory_bytes: 3 * 1024 ** 2, cpu_ms: 40, processes: 2 }],
	limits: { memory_bytes_max: 1024 ** 3 },
	limited_by: "control groups of version 2 (memory)",
	stderr: ["it ticks"],
	stdout: ["tick"],
	oddities: [{ text: "ticked twice", count: 2, last_at_ms: 1_000 }],
};

/** A line of the server's log. */
export function logLine(text: string): LogLine {
	return { time_ms: 1_700_000_000_000, source: "stderr", instance: 1, text };
}

function unknown(server: string): { readonly ok: false; readonly problem: AdminProblem } {
	return fail(problemOf("server_unknown", `There is no server named "${server}".`));
}
