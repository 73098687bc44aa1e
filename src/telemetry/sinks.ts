/**
 * Every way on which something leaves this process. `npm run check` fails on a file that writes and
 * is not named here, and the canary test looks for planted secrets in every sink of this list.
 * Patterns are those of path.matchesGlob.
 */

/** Where what happens is told to somebody. */
export interface Sink {
	readonly name: SinkName;
	readonly about: string;
	/** The files that write to it. */
	readonly files: readonly string[];
	/** How secrets are kept out of it: the file that is given the redactor, or a reason. */
	readonly guard:
		| { readonly redacts: string }
		/** What is written is encrypted, holds no values, or belongs to whoever is told. */
		| { readonly reason: string };
}

/** The names of all sinks; the canary test has a way to look into each of them. */
export type SinkName =
	| "log"
	| "server-lines"
	| "replies"
	| "admin"
	| "events"
	| "store"
	| "grants"
	| "terminal"
	| "exports"
	| "backup"
	| "audit"
	| "audit-exports"
	| "calls"
	| "telemetry"
	| "collector"
	| "alerts"
	| "approvals";

/** All sinks. */
export const sinks: readonly Sink[] = [
	{
		name: "log",
		about: "the gateway's own log, on standard error or in a file, faults included",
		files: ["src/telemetry/log-sink.ts", "src/telemetry/log.ts"],
		guard: { redacts: "src/telemetry/log.ts" },
	},
	{
		name: "server-lines",
		about: "what servers write for people, and why they fail: `moorage logs`, status reasons",
		files: [],
		guard: { redacts: "src/hosting/lines.ts" },
	},
	{
		name: "replies",
		about: "answers to MCP clients: those of the gateway itself, and what servers answer",
		files: [
			"src/daemon/admin-door.ts",
			"src/gateway/answer-error.ts",
			"src/gateway/arrival.ts",
			"src/gateway/client-certificate.ts",
			"src/gateway/edges/event-response.ts",
			"src/gateway/edges/exchange.ts",
			"src/gateway/edges/http-reply.ts",
			"src/gateway/edges/session-reply.ts",
			"src/gateway/edges/sse-link.ts",
			"src/gateway/gateway.ts",
			"src/gateway/health.ts",
			"src/gateway/listeners.ts",
			"src/gateway/open-answers.ts",
			"src/gateway/routes.ts",
			"src/gateway/scrape.ts",
			"src/gateway/tls-files.ts",
		],
		guard: { reason: "a server's answer belongs to its caller; faults carry no payloads" },
	},
	{
		name: "admin",
		about: "the admin API",
		files: [
			"src/admin/app-frames.ts",
			"src/admin/approval-pages.ts",
			"src/admin/connect-pages.ts",
			"src/admin/dashboard-files.ts",
			"src/admin/listener.ts",
			"src/admin/sign-in-pages.ts",
			"src/admin/signed-in-pages.ts",
			"src/daemon/daemon.ts",
			"src/daemon/dashboard/house.ts",
		],
		guard: { reason: "it shows names, states and lines, which are redacted where they are made" },
	},
	{
		name: "events",
		about: "the stream of news for open pages of the dashboard",
		files: [],
		guard: { reason: "it has what the admin API shows, and is written by it" },
	},
	{
		name: "store",
		about: "the database of the data folder, and its copies",
		files: [
			"src/store/copy-before-upgrade.ts",
			"src/store/database.ts",
			"src/store/sqlite-dialect.ts",
			"src/backup/make-backup.ts",
		],
		guard: { reason: "values of secrets are sealed; plans hold references" },
	},
	{
		name: "grants",
		about: "tokens of remote servers and what people signed in with, in the database",
		files: [],
		guard: { reason: "each row is sealed, and bound to whose it is" },
	},
	{
		name: "terminal",
		about: "what commands print",
		files: ["src/cli/run-main.ts", "src/cli/bridge/link.ts", "src/cli/client.ts"],
		guard: { reason: "commands print what the admin API and MCP servers answer" },
	},
	{
		name: "exports",
		about: "configurations that `moorage export` writes for others to read",
		files: ["src/cli/commands/export.ts"],
		guard: { reason: "references take the place of all that is or may be secret" },
	},
	{
		name: "backup",
		about: "copies of the data folder",
		files: ["src/backup/copy-tree.ts", "src/backup/manifest.ts", "src/backup/restore-disk.ts"],
		guard: { reason: "what is copied is sealed already; the key is copied beside it" },
	},
	{
		name: "audit",
		about: "payloads of calls and of administrative actions, encrypted",
		files: [
			"src/audit/audit.ts",
			"src/audit/disk.ts",
			"src/audit/read-call.ts",
			"src/audit/verify-thread.ts",
		],
		guard: { redacts: "src/audit/payload-redaction.ts" },
	},
	{
		name: "audit-exports",
		about: "the audit as NDJSON or CSV, for others to read; payloads stay sealed in it",
		files: ["src/cli/audit/export.ts"],
		guard: { redacts: "src/audit/payload-redaction.ts" },
	},
	{
		name: "calls",
		about: "the call log and the history: names, sentences and numbers, never payloads",
		files: [
			"src/calls/call-log.ts",
			"src/calls/error-words.ts",
			"src/calls/history-schema.ts",
			"src/calls/history.ts",
			"src/calls/keeper.ts",
			"src/calls/postings.ts",
			"src/calls/rotating-file.ts",
			"src/calls/words.ts",
		],
		guard: { redacts: "src/telemetry/line-text.ts" },
	},
	{
		name: "telemetry",
		about: "metrics that are scraped",
		files: ["src/daemon/wings/telemetry.ts", "src/daemon/wings.ts"],
		guard: { redacts: "src/daemon/wings/telemetry.ts" },
	},
	{
		name: "collector",
		about: "traces and metrics that a collector is sent by OTLP",
		files: ["src/telemetry/otlp/exporter.ts"],
		guard: { redacts: "src/daemon/wings/telemetry.ts" },
	},
	{
		name: "alerts",
		about: "what people are told of alerts: webhooks, chat and mail",
		files: ["src/alerts/delivery/email.ts", "src/alerts/delivery/post.ts"],
		guard: { redacts: "src/alerts/engine.ts" },
	},
	{
		name: "approvals",
		about: "what webhooks are told of calls that wait for people",
		files: ["src/approvals/webhooks/sender.ts"],
		guard: { redacts: "src/approvals/webhooks/message.ts" },
	},
];

/** Files that write, but tell nobody anything that callers, servers or people said. */
export interface Plumbing {
	readonly files: readonly string[];
	readonly why: string;
}

/** Everything that writes and is no sink. */
export const plumbing: readonly Plumbing[] = [
	{
		files: [
			"src/login/id-jag.ts",
			"src/login/interactions.ts",
			"src/login/login-server.ts",
			"src/login/pages.ts",
			"src/login/provider-requests.ts",
			"src/login/provider.ts",
		],
		why: "pages and tokens for the person and the client they are about",
	},
	{
		files: ["src/secrets/kv-vault.ts", "src/secrets/secret-file.ts", "src/secrets/whole-file.ts"],
		why: "keys and sealed values, in files of their owner only",
	},
	{
		files: ["src/config/replace-file.ts", "src/cli/connect/config-file.ts"],
		why: "the configurations of users and their clients, as they are told to be",
	},
	{ files: ["src/config/read-bounded.ts"], why: "opens files to read them" },
	{
		files: ["src/cli/commands/restore.ts"],
		why: "puts back what a backup holds, sealed as it is",
	},
	{ files: ["src/hosting/copy-folder.ts"], why: "servers' own files, for another of theirs" },
	{
		files: ["src/lib/worker-link.ts", "src/telemetry/traces/trace-thread.ts"],
		why: "messages to threads of this process, whose own writing is named by itself",
	},
	{
		files: [
			"src/hosting/packages/bundle.ts",
			"src/hosting/packages/compile-cache.ts",
			"src/hosting/packages/install-npm.ts",
			"src/hosting/packages/install-python.ts",
			"src/hosting/packages/installed.ts",
			"src/hosting/packages/lock-file.ts",
			"src/hosting/packages/python-program.ts",
		],
		why: "packages as they were published, and their locks",
	},
	{
		files: [
			"src/hosting/process/data-lock.ts",
			"src/hosting/process/find-program.ts",
			"src/hosting/process/group-freezer.ts",
			"src/hosting/process/groups/files.ts",
			"src/hosting/process/groups/quick-entry.ts",
			"src/hosting/process/ledger.ts",
			"src/hosting/process/reclaim.ts",
			"src/hosting/process/run-once.ts",
			"src/hosting/process/spawner.ts",
			"src/hosting/process/watcher-link.ts",
		],
		why: "process ids, locks and limits",
	},
	{
		files: [
			"src/hosting/process/spare.ts",
			"src/hosting/sandbox/landlock-probe.ts",
			"src/hosting/sandbox/layout.ts",
			"src/hosting/sandbox/package-copy.ts",
			"src/hosting/sandbox/probe.ts",
			"src/hosting/sandbox/settings-copy.ts",
		],
		why: "how a program is confined",
	},
	{ files: ["src/hosting/volumes.ts", "src/hosting/volume-copies.ts"], why: "servers' own files" },
	{ files: ["src/hosting/value-files.ts"], why: "values for one server, in its own folder" },
	{
		files: [
			"src/hosting/egress/dial.ts",
			"src/hosting/egress/egress.ts",
			"src/hosting/egress/forwarder.ts",
			"src/hosting/egress/late-proxy.ts",
			"src/hosting/egress/proxy.ts",
		],
		why: "the way of servers to hosts that they may reach",
	},
	{
		files: [
			"src/upstreams/container/engine-connection.ts",
			"src/upstreams/http/oauth/discovery.ts",
			"src/upstreams/http/oauth/exchange.ts",
			"src/upstreams/http/oauth/register.ts",
			"src/upstreams/http/oauth/revoke.ts",
			"src/upstreams/http/oauth/token-requests.ts",
			"src/upstreams/http/oauth/upstream-auth.ts",
			"src/upstreams/http/remote.ts",
		],
		why: "calls on their way to the servers they are for",
	},
	{ files: ["src/daemon/accounts.ts"], why: "hands requests to the authorization server" },
	{ files: ["src/daemon/approval-pages.ts"], why: "hands requests to the pages of approvals" },
	{ files: ["src/daemon/approval-callbacks.ts"], why: "says what became of a decision, by its id" },
	{
		files: ["src/daemon/grant-room.ts"],
		why: "hands requests to the pages for connecting accounts",
	},
	{
		files: [
			"src/identity/oauth/introspection.ts",
			"src/identity/oauth/issuer-metadata.ts",
			"src/identity/oauth/token-verifier.ts",
		],
		why: "questions to issuers about their own tokens",
	},
	{
		files: ["src/lib/http-agent.ts", "src/lib/http-client.ts", "src/lib/node-http.ts"],
		why: "sends what others give it, who are named here themselves",
	},
	{ files: ["src/lib/guarded-fetch.ts"], why: "reads documents from addresses others name" },
	{ files: ["src/lib/near-kinds.ts"], why: "looks at certificates, and sends nothing" },
];
