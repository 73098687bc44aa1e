import { z } from "zod";
import type { Shape } from "./contracts/shape.ts";

/**
 * What `/api` accepts and answers. The OpenAPI document, the command line and the dashboard
 * are all made from this file. It is only ever extended: fields and operations are added,
 * never renamed, removed or given another meaning.
 */

/** Most lines of a server's log one request may ask for. */
export const log_tail_max = 1000;
/** Lines of a server's log when the request does not say how many. */
export const log_tail_default = 100;

const entry_args_max = 256;
const entry_pairs_max = 256;
const text_chars_max = 8192;

const name_schema = z
	.string()
	.min(1)
	.max(128)
	.describe("A server's name, as it stands in its address.");
const text_schema = z.string().max(text_chars_max);
const count_schema = z.int().nonnegative();
const at_ms_schema = z.int().describe("Milliseconds since the epoch.");

/** The states a hosted server goes through. */
export const server_state_schema = z.enum([
	"declared",
	"resolving",
	"stopped",
	"starting",
	"ready",
	"frozen",
	"draining",
	"failed",
]);

export const server_overview_schema = z.object({
	name: name_schema,
	title: z.string().describe("The name as the configuration has it."),
	state: server_state_schema,
	reason: z.string().optional().describe("Why it failed: a sentence."),
	code: z.string().optional().describe("Stable code of the failure."),
	tools: count_schema,
	resources: count_schema,
	prompts: count_schema,
	url: z.string().describe("MCP address of this server alone."),
	sandbox_notes: z
		.array(z.string())
		.optional()
		.describe("What its sandboxes were given beside their own folders, or why there is none."),
});

export const endpoint_overview_schema = z.object({
	name: z.string(),
	url: z.string().describe("MCP address."),
	servers: z.array(z.string()),
});

export const overview_schema = z.object({
	url: z.string().describe("Base URL of the gateway."),
	pid: z.int(),
	version: z.string(),
	data: z.string().describe("State folder."),
	config: z.string().optional().describe("Configuration file, where there is one."),
	uptime_ms: z.number().nonnegative(),
	sessions: count_schema.describe("Legacy sessions that are open."),
	servers: z.array(server_overview_schema),
	endpoints: z.array(endpoint_overview_schema),
});

/** One running thing of a server. */
export const instance_status_schema = z.object({
	id: count_schema.describe("Stands in the server's log lines; 0 while nothing runs."),
	scope_key: z.string(),
	state: server_state_schema,
	revision: z.string().optional().describe("The protocol revision spoken with it."),
	ready_at_ms: at_ms_schema.optional().describe("Since when it is ready."),
	leases: count_schema.describe("Calls and streams that use it."),
	waiting: count_schema.describe("Calls that wait for it."),
	sandbox: z
		.object({
			kind: z.enum(["bubblewrap", "landlock", "container", "none"]),
			notes: z.array(z.string()).describe("What it was given, or why it has none."),
		})
		.optional()
		.describe("What shuts it off from the machine; absent while nothing of it runs here."),
	notes: z
		.array(z.string())
		.optional()
		.describe("Sentences: folders of its arguments it was given, limits that were not set, ..."),
	volume: z.string().optional().describe("Folder of its own that outlives it."),
	reclaimed_bytes: count_schema
		.optional()
		.describe("Memory it gave back in its sleep; absent as long as that was not asked for."),
});

/** One host that a server asked for from its sandbox. */
const egress_record_schema = z.object({
	host: z.string(),
	port: z.int().positive(),
	count: count_schema,
	first_at_ms: at_ms_schema,
	last_at_ms: at_ms_schema,
});

const egress_report_schema = z.object({
	used: z.array(egress_record_schema).describe("Hosts it reached, the latest first."),
	refused: z.array(egress_record_schema).describe("Hosts it was refused, the latest first."),
	unproxied: z
		.array(egress_record_schema)
		.describe("Hosts it tried past its proxy, in vain; port 53 of a name: it was looked up."),
	forgotten: count_schema.describe("Hosts that were forgotten because there were too many."),
	forgotten_used: count_schema.describe("Those of them that were used."),
});

export const server_status_schema = z.object({
	name: name_schema,
	title: z.string(),
	driver: z.string().describe("What kind of server it is: stdio, http, ..."),
	state: server_state_schema,
	reason: z.string().optional().describe("Why it failed: a sentence."),
	code: z.string().optional().describe("Stable code of the failure."),
	detail: z.string().optional().describe("What else is known of that, such as its own words."),
	exit_code: z.int().optional().describe("Of what ended last, where that is why it failed."),
	restarts: count_schema,
	last_failure: z
		.object({ reason: z.string(), exit_code: z.int().optional(), at_ms: at_ms_schema })
		.optional()
		.describe("What went wrong last, also where it runs again."),
	wakes: count_schema.optional().describe("How often something of it that was frozen was woken."),
	next_try_at_ms: at_ms_schema.optional().describe("When a failed server is tried again."),
	instances: z.array(instance_status_schema),
	egress: egress_report_schema.optional().describe("What it asked of the network, if anything."),
});

export const servers_schema = z.object({ servers: z.array(server_status_schema) });

export const endpoints_schema = z.object({ endpoints: z.array(endpoint_overview_schema) });

export const log_line_schema = z.object({
	time_ms: at_ms_schema,
	source: z
		.enum(["stderr", "stdout", "event"])
		.describe("`event` lines are written by the gateway itself."),
	instance: count_schema.describe("Which instance wrote it; 0 is the server itself."),
	text: z.string(),
});

export const logs_schema = z.object({ server: z.string(), lines: z.array(log_line_schema) });

const raw_item_schema = z
	.looseObject({})
	.describe("Exactly as the server wrote it, unknown members included.");

/** The three lists a server offers. */
export const item_kind_schema = z.enum(["tools", "resources", "prompts"]);

const items_base = { server: z.string(), fetched_at_ms: at_ms_schema };
export const tools_schema = z.object({ ...items_base, tools: z.array(raw_item_schema) });
export const resources_schema = z.object({
	...items_base,
	resources: z.array(raw_item_schema),
	templates: z.array(raw_item_schema).describe("Resource templates."),
});
export const prompts_schema = z.object({ ...items_base, prompts: z.array(raw_item_schema) });

export const tool_arguments_schema = z
	.looseObject({})
	.describe("The tool's arguments: an object that fits the tool's inputSchema.");
export const tool_result_schema = z
	.looseObject({ isError: z.boolean().optional() })
	.describe("The server's own result, byte for byte.");

const pairs_schema = z
	.record(z.string().min(1).max(256), text_schema)
	.refine((pairs) => Object.keys(pairs).length <= entry_pairs_max, {
		error: `at most ${entry_pairs_max} entries`,
	});

/** How to run or reach a server: the entry of a configuration file, in its plainest form. */
export const server_entry_schema = z.union([
	z.strictObject({
		command: text_schema.min(1).describe("The program to run. Never a shell line."),
		args: z.array(text_schema).max(entry_args_max).optional(),
		env: pairs_schema.optional(),
		cwd: text_schema.optional(),
	}),
	z.strictObject({
		url: z.url({ protocol: /^https?$/ }).max(text_chars_max),
		headers: pairs_schema.optional(),
	}),
]);

export const add_server_schema = z.strictObject({
	name: name_schema,
	entry: server_entry_schema,
	secrets: z
		.record(z.string().min(1).max(128), z.string())
		.optional()
		.describe("Values for the vault by names that are free in it; stored first, for everybody."),
});
export const changed_server_schema = z.object({
	name: name_schema,
	config: z
		.string()
		.describe("The configuration file that was changed; empty for a fork, which stands in none."),
	url: z.string().optional().describe("MCP address of the new server."),
});

const settings_schema = z
	.array(z.string())
	.describe("Keys of the configuration, beside `servers`, that say something else.");

export const reloaded_schema = z.object({
	added: z.array(z.string()),
	removed: z.array(z.string()),
	changed: z.array(z.string()),
	settings: settings_schema,
	warnings: z.array(z.string()),
});

const number_schema = z.int().min(1);

/** One immutable way of running a server. */
export const version_schema = z.object({
	number: number_schema.describe("Counts from 1."),
	state: z
		.enum(["trial", "active", "retired", "failed"])
		.describe("`active` takes the calls; `trial` is on its way into its place."),
	source: z.enum(["config", "deploy", "promote"]).describe("What made it."),
	created_at_ms: at_ms_schema,
	reason: z.string().optional().describe("Why it failed or was replaced: a sentence."),
	package: z
		.object({ name: z.string(), version: z.string().optional(), digest: z.string() })
		.optional()
		.describe("What its package was resolved to."),
	changes: z.array(z.string()).describe("What it offers otherwise than the one before."),
	differences: z
		.array(z.string())
		.optional()
		.describe("How it is run otherwise than the one before; values of secrets never in them."),
});

export const rollout_state_schema = z.enum(["checking", "held", "sharing", "live", "failed"]);

const rollout_schema = z.object({ version: number_schema, state: rollout_state_schema });

export const versions_schema = z.object({
	server: name_schema,
	versions: z.array(version_schema).describe("Oldest first."),
	held_at: number_schema
		.optional()
		.describe("The version it is held at though the configuration says otherwise."),
	rollout: rollout_schema.optional().describe("The version that is on its way."),
	forks: z.array(z.string()).describe("Copies of the server."),
});

export const deploy_schema = z.strictObject({
	hold: z.boolean().optional().describe("Whether it waits, ready, for `promote`."),
	percent: z.int().min(1).max(100).optional().describe("Share of the calls it gets at first."),
	update: z
		.boolean()
		.optional()
		.describe("Whether what the command leaves open, such as a version, is found out anew."),
	plan: z
		.boolean()
		.optional()
		.describe("Whether it is only started and compared, and ended again."),
});
export const rollback_schema = z.strictObject({
	version: number_schema.optional().describe("The one before the active one when absent."),
});
export const fork_schema = z.strictObject({ name: name_schema.optional() });

export const deployed_schema = z.object({
	server: name_schema,
	version: number_schema,
	state: z
		.enum([...rollout_state_schema.options, "planned"])
		.describe("`planned` was only looked at: the version does not exist."),
	changes: z.array(z.string()).describe("What it offers otherwise than the one before."),
	warnings: z.array(z.string()),
});
export const forked_schema = z.object({
	name: name_schema,
	server: name_schema.describe("The server it is a copy of."),
	url: z.string().describe("MCP address of the copy."),
	copied_ms: z.number().nonnegative().describe("How long the copy took, in milliseconds."),
});

/** What applying the configuration would do. */
export const changes_schema = z.object({
	added: z.array(z.string()),
	removed: z.array(z.string()),
	changed: z.array(
		z.object({
			server: name_schema,
			differences: z.array(z.string()).describe("Sentences; values of secrets never in them."),
		}),
	),
	settings: settings_schema,
	held: z
		.array(z.object({ server: name_schema, version: number_schema }))
		.describe("Servers held at a version though the configuration says otherwise."),
	forks: z.array(z.string()),
	warnings: z.array(z.string()),
});

/** What an instance uses now. */
export const usage_schema = z.object({
	memory_bytes: z.number().nonnegative(),
	cpu_ms: z.number().nonnegative().describe("Processor time since its start."),
	processes: count_schema,
});

const limit_schema = z.number().positive().optional();
/** What an instance may use up; an absent limit is not set. */
export const limits_schema = z.object({
	memory_bytes_max: limit_schema,
	processes_max: limit_schema,
	cpus_max: limit_schema.describe("Share of processor cores."),
	file_bytes_max: limit_schema,
	descriptors_max: limit_schema,
	disk_bytes_max: limit_schema,
});

const oddity_schema = z.object({
	text: z.string().describe('Continues "it ...", or a sentence: the last one of its kind.'),
	count: count_schema.describe("How often something like it was seen."),
	last_at_ms: at_ms_schema,
});

/** Everything about one server. */
export const server_details_schema = z.object({
	status: server_status_schema,
	scope: z.enum(["shared", "tenant", "user", "session"]).describe("Who shares an instance."),
	untrusted: z.boolean(),
	sandbox: z.enum(["off", "on", "required"]).describe("What the configuration asks for."),
	network: z
		.string()
		.optional()
		.describe("The `egress` line it runs with; absent for a server that does not run here."),
	closing: z
		.string()
		.optional()
		.describe("The `egress` line that would close its network to what it used."),
	usage: z
		.array(usage_schema.extend({ instance: count_schema }))
		.describe("Of every instance that the machine tells something of."),
	limits: limits_schema,
	limited_by: z.string().describe("Who enforces limits on this machine: a sentence."),
	package: z
		.object({ name: z.string(), version: z.string().optional(), digest: z.string() })
		.optional()
		.describe("What runs, once that is known."),
	version: number_schema.optional().describe("The version that takes the calls."),
	rollout: rollout_schema.optional().describe("The version that is on its way."),
	stderr: z
		.array(z.string())
		.describe("The last lines that its last run wrote to its standard error."),
	stdout: z
		.array(z.string())
		.describe("The last lines that its last run wrote to its standard output and are no messages."),
	oddities: z
		.array(oddity_schema)
		.describe("What it did that no server should, since the gateway's start, the latest last."),
});

export const create_backup_schema = z.strictObject({
	path: z.string().min(1).max(4096).describe("Absolute path of a folder that does not exist."),
});
export const backup_schema = z.object({
	path: z.string(),
	files: count_schema,
	bytes: count_schema,
	servers: z.array(z.string()).describe("Servers whose volumes are in it."),
});

export const doctor_check_schema = z.object({
	name: z.string(),
	status: z.enum(["ok", "limited", "missing"]),
	summary: z.string().describe("What this machine can or cannot do."),
	next: z.string().optional().describe("What to install or change."),
});
export const doctor_schema = z.object({ checks: z.array(doctor_check_schema) });

/** One mistake in a configuration file. */
export const config_problem_schema = z.object({
	file: z.string(),
	line: z.int(),
	column: z.int(),
	message: z.string(),
	next: z.string(),
	field: z
		.string()
		.optional()
		.describe("Of a server's entry, where it is about one: `limits.memory`."),
});

/** Problem details (RFC 9457) with the members every problem of this API has. */
export const problem_schema = z.looseObject({
	type: z.string().describe("A tag URI that ends in the code."),
	title: z.string(),
	status: z.int(),
	detail: z.string(),
	code: z.string().describe("Stable; for programs."),
	next: z.string().describe("What to do next."),
	error_id: z.string().optional().describe("Stands in the gateway's log too."),
	config: z.array(config_problem_schema).optional(),
	errors: z
		.array(z.object({ field: z.string(), message: z.string() }))
		.optional()
		.describe("Mistakes by the member of the body that each is about: `roles.0`."),
});

export type ServerState = Shape<typeof server_state_schema>;
export type ServerOverview = Shape<typeof server_overview_schema>;
export type EndpointOverview = Shape<typeof endpoint_overview_schema>;
/** Everything `moorage status` shows. */
export type Overview = Shape<typeof overview_schema>;
export type InstanceStatus = Shape<typeof instance_status_schema>;
export type ServerStatus = Shape<typeof server_status_schema>;
/** Everything `moorage status NAME` shows. */
export type ServerDetails = Shape<typeof server_details_schema>;
export type LogLine = Shape<typeof log_line_schema>;
export type ItemKind = Shape<typeof item_kind_schema>;
export type ServerEntry = Shape<typeof server_entry_schema>;
export type AddServer = Shape<typeof add_server_schema>;
export type ChangedServer = Shape<typeof changed_server_schema>;
export type Reloaded = Shape<typeof reloaded_schema>;
export type Version = Shape<typeof version_schema>;
export type VersionList = Shape<typeof versions_schema>;
export type DeployRequest = Shape<typeof deploy_schema>;
export type Deployed = Shape<typeof deployed_schema>;
export type Forked = Shape<typeof forked_schema>;
export type Changes = Shape<typeof changes_schema>;
export type Backup = Shape<typeof backup_schema>;
export type DoctorCheck = Shape<typeof doctor_check_schema>;
export type DoctorReport = Shape<typeof doctor_schema>;
export type ProblemDetails = Shape<typeof problem_schema>;
