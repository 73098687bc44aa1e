import * as z from "zod";
import {
	default_allowed_hosts,
	default_allowed_origins,
	default_data,
	default_limits,
	default_listen,
	default_start,
	default_timeouts,
	ranges,
} from "./defaults.ts";
import { presets } from "./presets/presets.ts";
import { approvals_schema } from "./schema-approvals.ts";
import { audit_schema, calls_schema } from "./schema-evidence.ts";
import { front_schema } from "./schema-front.ts";
import { identity_schema } from "./schema-identity.ts";
import { alerts_schema, telemetry_schema } from "./schema-observing.ts";
import {
	arguments_schema,
	policy_schema,
	profile_schema,
	tool_rule_schema,
} from "./schema-policy.ts";
import { running_schema } from "./schema-running.ts";
import { secrets_schema } from "./schema-secrets.ts";
import { server_name_pattern } from "./server-names.ts";
import { duration_pattern, formatDuration, formatSize, size_pattern } from "./units.ts";

/**
 * The form of moorage.yaml. From this one table come the checks at load, the JSON Schema for
 * editors and the reference in docs/configuration.md; a key exists nowhere else.
 */

// The messages name the kind of value; issues.ts words them.
const duration = z.string("duration").regex(duration_pattern, "duration");
const size = z.string("size").regex(size_pattern, "size");
const count = z.int().min(ranges.count[0]).max(ranges.count[1]);
const word = z.union([z.string(), z.number(), z.boolean()]);
const words = z.array(word);
const patterns = z.array(z.string().min(1));

const tool_filter = z.strictObject({
	allow: patterns
		.default([])
		.describe("Only tools that match one of these patterns; empty allows all."),
	deny: patterns.default([]).describe("Tools that are never offered; wins over `allow`."),
});

const tools_schema = z.union([patterns, tool_filter]);

/** Which tools a server offers, and what holds for each. */
export const tools_map_schema = z.object(tool_filter.shape).catchall(tool_rule_schema);

const server_tools_schema = z.union([patterns, tools_map_schema]);

const timeouts_schema = z.strictObject({
	start: duration
		.default(formatDuration(default_timeouts.start_ms))
		.describe("From the start of the server to the answer of its handshake."),
	call: duration
		.default(formatDuration(default_timeouts.call_ms))
		.describe("One call without an answer; progress starts it anew."),
	stop: duration
		.default(formatDuration(default_timeouts.stop_ms))
		.describe("From closing its input to SIGTERM, and again from SIGTERM to SIGKILL."),
});

const oauth_subject_schema = z.strictObject({
	issuer: z.string().describe("The provider that vouches for it, exactly as in `iss`. Required."),
	client_id: z.string().min(1).describe("Who Moorage is at the provider. Required."),
	client_secret: z.string().optional().describe("The secret that belongs to `client_id`."),
	token: z.string().describe("The ID token, as a reference such as `${file:PATH}`. Required."),
});

const oauth_schema = z.strictObject({
	preset: z
		.enum(Object.keys(presets) as [string, ...string[]])
		.optional()
		.describe(
			"The service whose accounts are used: its addresses, scopes and peculiarities are known, and so is the `url` of its own server where it has one.",
		),
	tenant: z
		.string()
		.optional()
		.describe(
			"The tenant whose accounts are used, where the service has tenants: a domain or an id.",
		),
	grant: z
		.enum(["authorization_code", "client_credentials", "id_jag", "token_exchange"])
		.default("authorization_code")
		.describe(
			"`authorization_code`: a person decides on a page; `client_credentials`: Moorage is authorized for itself; `id_jag`: the identity provider at which a person has signed in gives an assertion for the server's authorization server (enterprise-managed authorization); `token_exchange`: that authorization server takes the person's ID token itself (RFC 8693).",
		),
	client_id: z
		.string()
		.optional()
		.describe("Who Moorage is there, where it was registered by hand."),
	client_secret: z.string().optional().describe("The secret that belongs to `client_id`."),
	private_key: z
		.string()
		.optional()
		.describe("The key that proves `client_id` instead of a secret, as PEM text."),
	client_metadata: z
		.string()
		.optional()
		.describe("The https address of Moorage's client-id metadata document, if you publish one."),
	issuer: z
		.string()
		.optional()
		.describe(
			"The authorization server that `client_id` belongs to; it is shown to no other. Required with `id_jag` and `token_exchange`, unless a preset knows it.",
		),
	scopes: z.array(z.string()).default([]).describe("Scopes to ask for in any case."),
	provider: z
		.string()
		.optional()
		.describe(
			"With `id_jag` and `token_exchange`: the `name` of the provider whose word about people is exchanged; any at which they have signed in where not given.",
		),
	subject: oauth_subject_schema
		.optional()
		.describe(
			"With `id_jag` and `token_exchange`: an identity of Moorage's own that is exchanged in place of that of whoever calls.",
		),
	account: z
		.enum(["shared"])
		.optional()
		.describe(
			"`shared`: one person connects an account, and everybody uses it. Needed with `scope: shared` where there is `identity`.",
		),
});

/** One entry of `servers`. */
export const server_schema = z.strictObject({
	command: z
		.union([z.string(), words])
		.optional()
		.describe(
			"The program to run and its arguments, as one text or as a list. There is no shell: quotes group words, every other character is taken as it is. Either this, `url` or `image`.",
		),
	args: words.default([]).describe("More arguments, put behind those of `command`."),
	env: z
		.record(z.string(), word)
		.default({})
		.describe("Environment variables for the server, beside the few every server gets."),
	files: z
		.record(z.string(), z.string())
		.default({})
		.describe(
			"Files for the server that it alone can read: what is in each, by the environment variable that has its path. For keys that a program wants in a file: `KEY_FILE: ${secret:key}`.",
		),
	cwd: z
		.string()
		.default(".")
		.describe("The folder the server runs in, relative to the folder of this file."),
	url: z
		.string()
		.optional()
		.describe("The Streamable HTTP address of a remote server. Either this, `command` or `image`."),
	image: z
		.string()
		.optional()
		.describe(
			"A container image with the server, run by Docker or Podman. Either this, `command` or `url`.",
		),
	runtime: z
		.string()
		.optional()
		.describe("The container runtime, such as `runsc`, where not the engine's own default."),
	transport: z
		.enum(["auto", "sse"])
		.default("auto")
		.describe(
			"How `url` is spoken to: `auto` tries Streamable HTTP, and HTTP+SSE where a server refuses that; `sse` only the HTTP+SSE transport of 2024-11-05.",
		),
	headers: z
		.record(z.string(), word)
		.default({})
		.describe("HTTP headers sent with every request to `url`."),
	auth: z
		.enum(["oauth"])
		.optional()
		.describe(
			"`oauth`: the server at `url` is used with an OAuth token that Moorage gets. Tokens are kept sealed in the data folder, for each person whose instance it is, and renewed before they end.",
		),
	oauth: oauth_schema
		.optional()
		.describe("How the OAuth token is got, where the server cannot tell all of it."),
	scope: z
		.enum(["shared", "tenant", "user", "session"])
		.optional()
		.describe(
			"Who shares one running instance of the server. Where not given: `user` with `identity`, `shared` without.",
		),
	start: z
		.enum(["eager", "on-demand"])
		.default(default_start)
		.describe("`eager` starts the server with the gateway, `on-demand` with its first call."),
	tools: server_tools_schema
		.default([])
		.describe(
			"Which tools of the server are offered: patterns with `*` and `?` over its own tool names, as a list of those allowed or as `allow` and `deny`. Beside these two, what holds for a tool stands under its name or a pattern.",
		),
	arguments: arguments_schema
		.default("check")
		.describe(
			"Whether the arguments of calls are held against the tool's schema before the server sees them; `strict` also refuses calls of tools whose schema cannot be used.",
		),
	reviewed: z
		.string()
		.min(1)
		.max(200)
		.optional()
		.describe(
			"Who looked at what a third party's server does with what it is sent, and when; for `moorage checklist`.",
		),
	timeouts: timeouts_schema.prefault({}).describe("How long things may take."),
	...running_schema.shape,
});

/** One entry of `endpoints`. */
export const endpoint_schema = z.strictObject({
	servers: z
		.array(z.string())
		.min(1)
		.describe("The servers behind this address, by their names under `servers`. Required."),
	tools: tools_schema
		.default([])
		.describe(
			"Which tools are offered here: patterns over the names clients see (`server__tool`), as a list of those allowed or as `allow` and `deny`.",
		),
});

const limits_schema = z.strictObject({
	body: size
		.default(formatSize(default_limits.body_bytes_max))
		.describe("Largest request body accepted from a client."),
	headers: size
		.default(formatSize(default_limits.header_bytes_max))
		.describe("Largest set of request headers accepted from a client."),
	reply: size
		.default(formatSize(default_limits.reply_bytes_max))
		.describe("Largest message accepted from a server."),
	requests_in_flight: count
		.default(default_limits.requests_in_flight_max)
		.describe(
			"Requests of all clients being answered at one time. With `identity` they are shared: a " +
				"tenant gets no more than are left for all, so at most half where it is alone.",
		),
	sessions: count
		.default(default_limits.sessions_max)
		.describe("Sessions of clients kept at one time."),
	calls_per_server: count
		.default(default_limits.calls_per_server_max)
		.describe(
			"Calls that one instance of a server works on at a time; others wait, as `queue` says.",
		),
	list_wait: duration
		.default(formatDuration(default_limits.list_wait_ms))
		.describe("How long a list waits for a server that is still starting."),
	request_read: duration
		.default(formatDuration(default_limits.request_read_ms))
		.describe("How long a client may take to send one request."),
});

/** The whole of moorage.yaml. */
export const moorage_schema = z.strictObject({
	$schema: z
		.string()
		.optional()
		.describe("Address of the JSON Schema, for editors; not read by Moorage."),
	version: z.literal(1).default(1).describe("Version of this file's form."),
	listen: z
		.string()
		.default(default_listen)
		.describe(
			"Address and port to listen on. Other addresses than loopback need `identity`, and TLS here (`tls`) or in front (`public_url` and `trusted_proxies`).",
		),
	...front_schema.shape,
	data: z
		.string()
		.default(default_data)
		.describe("The state folder, relative to the folder of this file."),
	sse: z
		.enum(["on", "off"])
		.default("on")
		.describe(
			"Whether clients that only know the HTTP+SSE transport of 2024-11-05 are served, at `/sse` and `/<name>/sse`.",
		),
	servers: z
		.record(z.string(), server_schema)
		.default({})
		.meta({
			description: "The servers to host, each under the name that becomes its address.",
			propertyNames: { pattern: server_name_pattern.source },
		}),
	endpoints: z
		.record(z.string(), endpoint_schema)
		.default({})
		.meta({
			description: "Addresses that offer several servers together.",
			propertyNames: { pattern: server_name_pattern.source },
		}),
	allowed_hosts: z
		.array(z.string())
		.default([...default_allowed_hosts])
		.describe(
			"Values of the `Host` header that are answered: `name`, at any port, or `name:port`.",
		),
	allowed_origins: z
		.array(z.string())
		.default([...default_allowed_origins])
		.describe(
			"Web origins whose pages may call: `scheme://name`, at any port, or `scheme://name:port`.",
		),
	identity: identity_schema
		.optional()
		.describe("Who may call. Without it everyone who can connect is one and the same person."),
	limits: limits_schema.prefault({}).describe("Limits of the front door."),
	calls: calls_schema.prefault({}).describe("The call log, and the history of calls."),
	approvals: approvals_schema
		.optional()
		.describe("Which calls need a person's word, whose, and how they wait for it."),
	secrets: secrets_schema
		.prefault({})
		.describe("The vault, its key, and where else values may come from."),
	audit: audit_schema.describe(
		"The encrypted, tamper-evident log with the payloads of calls: a mode alone, or a block.",
	),
	policy: policy_schema
		.default([])
		.describe("Who may do what: a list of rules, or a map with `rules` and more."),
	profile: profile_schema
		.default("private")
		.describe(
			"`public`: the gateway does not start while a no-go sign of `moorage checklist` stands.",
		),
	telemetry: telemetry_schema
		.optional()
		.describe("Traces and metrics for a collector; metrics for Prometheus need no setting."),
	alerts: alerts_schema.optional().describe("What people are told when something goes wrong."),
});

/** moorage.yaml as checked, with the defaults filled in. */
export type MoorageForm = z.output<typeof moorage_schema>;
/** A server of it. */
export type ServerForm = z.output<typeof server_schema>;
/** A tool filter of it. */
export type ToolsForm = z.output<typeof tools_schema>;
