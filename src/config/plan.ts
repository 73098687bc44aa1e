import type { AlertsPlan } from "./alert-rules.ts";
import type { OAuthService } from "./oauth-service.ts";
import type { FrontPlan } from "./plan-front.ts";
import type { IdentityPlan } from "./plan-identity.ts";
import type { PolicyPlan } from "./policy-plan.ts";
import type { TelemetryPlan } from "./telemetry-plan.ts";

/**
 * The one internal form of a configuration. Every human form (moorage.yaml, a client's
 * mcp.json) is compiled to a frozen Plan; nothing that runs ever reads YAML.
 */

import type { ApprovalWebhookPlan } from "./approval-webhooks.ts";
import type { ApprovalsPlan } from "./approvals-plan.ts";
import type { AuditPlan, CallsPlan } from "./evidence-plan.ts";

/** Who shares one running instance of a server. */
export type Scope = "shared" | "tenant" | "user" | "session";

/** A server that is a program on this machine speaking MCP over its standard streams. */
export interface StdioSpec {
	readonly driver: "stdio";
	/** The program as written: `npx`, `uvx`, a path or a name on PATH. Never a shell line. */
	readonly command: string;
	/** Templates (`secrets/template.ts`), as are `env` and `files`. */
	readonly args: readonly string[];
	/** Added to the small environment every server gets. */
	readonly env: Readonly<Record<string, string>>;
	/** What is written into files of the instance: by the variable that has the file's path. */
	readonly files?: Readonly<Record<string, string>> | undefined;
	/** Absolute working directory. */
	readonly cwd: string;
}

/** A server reached over Streamable HTTP. */
export interface HttpSpec {
	readonly driver: "http";
	/** Absolute http or https URL: a template. */
	readonly url: string;
	/**
	 * `sse`: only the HTTP+SSE transport of 2024-11-05 is tried. Otherwise it is tried last,
	 * where a server refuses Streamable HTTP.
	 */
	readonly transport?: "sse";
	/** Sent with every request: templates. */
	readonly headers: Readonly<Record<string, string>>;
	/** How to be authorized by OAuth; undefined where the headers are all there is. */
	readonly auth?: OAuthSpec | undefined;
}

/** How Moorage is authorized at a remote server that wants OAuth. */
export interface OAuthSpec {
	readonly grant: OAuthGrant;
	/** As registered by the operator; undefined when Moorage is to register itself. */
	readonly client_id: string | undefined;
	readonly client_secret: string | undefined;
	/** PEM text of the key that signs client assertions. */
	readonly private_key: string | undefined;
	/** Address of our client-id metadata document. */
	readonly client_metadata: string | undefined;
	/** The issuer that `client_id` belongs to; undefined means the first one the server names. */
	readonly issuer: string | undefined;
	readonly scopes: readonly string[];
	/** What a preset knows of the service; undefined where none is named. */
	readonly service?: OAuthService | undefined;
	/** The provider whose word about people is exchanged; undefined: any that they signed in at. */
	readonly provider?: string | undefined;
	/** Whose identity is exchanged where it is not that of the person who calls. */
	readonly subject?: OAuthSubject | undefined;
}

/**
 * How a token comes about: a person decides on a page, Moorage is authorized for itself, or the
 * word of an identity provider is exchanged, for an assertion first (ID-JAG) or at once (RFC 8693).
 */
export type OAuthGrant = "authorization_code" | "client_credentials" | "id_jag" | "token_exchange";

/** An identity that a provider vouches for, and who Moorage is at that provider. */
export interface OAuthSubject {
	/** Exactly what stands in `iss`. */
	readonly issuer: string;
	readonly client_id: string;
	/** A template, as is `token`; undefined for a public client. */
	readonly client_secret: string | undefined;
	/** The ID token. */
	readonly token: string;
}

/** A server that runs in a container and speaks MCP over its standard streams. */
export interface ContainerSpec {
	readonly driver: "container";
	/** The image as written; a deploy resolves it to a digest. */
	readonly image: string;
	/** Replaces the image's own command where it is not empty. */
	readonly args: readonly string[];
	/** The container's environment: templates, as `args`. */
	readonly env: Readonly<Record<string, string>>;
	/** An OCI runtime other than the engine's default, such as `runsc`. */
	readonly runtime?: string | undefined;
}

/** How to run or reach a server; `driver` says which driver does it. */
export type ServerSpec = StdioSpec | HttpSpec | ContainerSpec;

/** How many instances of a server there may be, and who waits for them. */
export interface InstancesPlan {
	/** Calls that one instance works on at a time; undefined sets no bound of its own. */
	readonly concurrency_max: number | undefined;
	/** Instances that share the work of a `shared` server; sessions stick to one of them. */
	readonly replicas: number;
	/** Most instances of the server at one time, of all principals together. */
	readonly instances_max: number;
	/** Calls that may wait for one instance, and for how long. */
	readonly queue_calls_max: number;
	readonly queue_wait_ms: number;
}

/** When an unused instance goes to sleep, and when it is woken beforehand. */
export interface IdlePlan {
	/**
	 * `always`: neither frozen nor stopped. `warm`: may be frozen, is never stopped.
	 * `on-demand`: goes down the whole ladder.
	 */
	readonly keep: "always" | "warm" | "on-demand";
	/** Milliseconds without a lease after which it is frozen; undefined: never. */
	readonly freeze_ms: number | undefined;
	/** Milliseconds without a lease after which a frozen one gives its memory back. */
	readonly reclaim_ms: number | undefined;
	/** Milliseconds without a lease after which it is stopped. */
	readonly stop_ms: number | undefined;
	/** Local times at which it is warmed: `08:00`, or `mon-fri 08:00`. */
	readonly warm_at: readonly string[];
	/** Whether it is warmed when a client lists its tools. */
	readonly warm_on_list: boolean;
}

/** What an instance may use up. An undefined limit is not set. */
export interface ResourcePlan {
	readonly memory_bytes_max: number | undefined;
	readonly processes_max: number | undefined;
	/** Share of processor cores: 0.5 is half a core. Applied after the start. */
	readonly cpus_max: number | undefined;
	/** Largest single file it may write. */
	readonly file_bytes_max: number | undefined;
	/** File descriptors open at a time, per process. */
	readonly descriptors_max: number | undefined;
	/** Bytes in its volume and temporary folder together. */
	readonly disk_bytes_max: number | undefined;
	/** A limit that cannot be enforced here refuses the start instead of being noted. */
	readonly required: boolean;
}

/** Which hosts a sandboxed server reaches. */
export type EgressPlan =
	/** Any public host, recorded; never a private, link-local or loopback address. */
	| { readonly kind: "public" }
	/** These hosts only: `api.example.com`, `*.example.com`, with `:port` where not 443 or 80. */
	| { readonly kind: "hosts"; readonly hosts: readonly string[] }
	/** The machine's network as it is; nothing is checked or recorded. */
	| { readonly kind: "open" };

/** How an instance is shut off from the machine. */
export interface SandboxPlan {
	/** `on`: where the machine can, and said where it cannot. `required`: or it does not start. */
	readonly mode: "off" | "on" | "required";
	readonly egress: EgressPlan;
	/** Absolute paths it may read beside the system and its own package. */
	readonly read: readonly string[];
	/** Absolute paths it may write beside its volume and temporary folder. */
	readonly write: readonly string[];
	/**
	 * Existing folders and files named in the arguments are bound at their own path. True for
	 * servers of a client's file, which say nowhere else what they need.
	 */
	readonly bind_arguments: boolean;
}

/** How a server that hangs is told from one that is busy. */
export interface HealthPlan {
	/** How often one that is awake and silent is asked for a sign of life; undefined: never. */
	readonly ping_ms: number | undefined;
	/** Unanswered signs of life after which it is started anew. */
	readonly fails_max: number;
}

/** How the package of a server is installed. */
export interface PackagePlan {
	/** Packages whose install scripts are run. */
	readonly scripts: readonly string[];
	/** Whether the package is bundled into one file at deploy, for a faster start. */
	readonly bundle: boolean;
}

/** How a new version of a server takes over. */
export interface ReleasePlan {
	/** Declared semantic version, compared with what the server says of itself. */
	readonly version: string | undefined;
	/** Share of the calls that a new version gets at first, 1 to 100. */
	readonly percent: number;
	/** Failed calls, in percent of the new version's calls, above which the old one returns. */
	readonly errors_percent_max: number;
	/**
	 * How long the new version gets its share before it takes over; 0 for the usual time where
	 * `percent` is 100, so that a share is given by hand only.
	 */
	readonly watch_ms: number;
}

/** One hosted server. */
export interface ServerPlan {
	/** Address-safe name, unique, without `__`. */
	readonly name: string;
	/** The name as the user wrote it, where an import had to change it. */
	readonly title: string;
	readonly spec: ServerSpec;
	readonly scope: Scope;
	/** `eager`: started with the gateway. `on-demand`: started by the first call. */
	readonly start: "eager" | "on-demand";
	/** Tools that may be seen and called: glob patterns over the server's own names. */
	readonly tools: ToolFilter;
	readonly timeouts: ServerTimeouts;
	readonly instances: InstancesPlan;
	readonly idle: IdlePlan;
	readonly resources: ResourcePlan;
	readonly sandbox: SandboxPlan;
	/** True for a server that is not trusted: it is refused where it cannot be sandboxed. */
	readonly untrusted: boolean;
	readonly health: HealthPlan;
	readonly packages: PackagePlan;
	readonly release: ReleasePlan;
	/** Hash over everything above: equal fingerprints run the same way. */
	readonly fingerprint: string;
}

/** Glob patterns (`*` and `?`). An empty `allow` allows all; `deny` wins. */
export interface ToolFilter {
	readonly allow: readonly string[];
	readonly deny: readonly string[];
}

/** How long things may take, in milliseconds. */
export interface ServerTimeouts {
	/** From spawn to the handshake's answer. */
	readonly start_ms: number;
	/** One call; progress restarts it. */
	readonly call_ms: number;
	/** From closed stdin to SIGTERM, and again from SIGTERM to SIGKILL. */
	readonly stop_ms: number;
}

/** A client-facing address over several servers. */
export interface EndpointPlan {
	readonly name: string;
	readonly servers: readonly string[];
	/** Patterns over the names clients see (`server__tool`). */
	readonly tools: ToolFilter;
}

/** Limits of the front door. Every one is enforced, none can be switched off. */
export interface Limits {
	readonly body_bytes_max: number;
	readonly header_bytes_max: number;
	readonly reply_bytes_max: number;
	readonly requests_in_flight_max: number;
	readonly sessions_max: number;
	/** Calls in flight on one instance, where its server sets no `concurrency_max` of its own. */
	readonly calls_per_server_max: number;
	/** How long a list waits for a server that is still starting. */
	readonly list_wait_ms: number;
	/** How long a client may take to send one request. */
	readonly request_read_ms: number;
}

/** Where the key is that secrets are sealed with. */
export type MasterKeyPlan =
	/** An absolute path; undefined: in the data folder. */
	| { readonly kind: "file"; readonly path: string | undefined }
	| { readonly kind: "env"; readonly name: string }
	| { readonly kind: "keyring"; readonly account: string }
	| { readonly kind: "command"; readonly argv: readonly string[] };

/** The vault, and the KV engine that values may come from as well. */
export interface SecretsPlan {
	readonly master_key: MasterKeyPlan;
	readonly vault: KvPlan | undefined;
	/** Days after which an unchanged secret is warned of. */
	readonly age_days_max: number;
	/** Whether secrets are taken out of the answers of servers, too. */
	readonly redact_results: boolean;
}

/** How Moorage logs in at a vault: `POST /v1/auth/MOUNT/login` with both, as one object. */
export interface VaultLoginPlan {
	readonly mount: string;
	/** Who Moorage is there, as it is. */
	readonly role: Readonly<Record<string, string>>;
	/** What proves it: templates of secrets. */
	readonly proof: Readonly<Record<string, string>>;
}

/** A HashiCorp Vault or an OpenBao. */
export interface KvPlan {
	readonly address: string;
	/** A template; undefined where Moorage logs in itself. */
	readonly token: string | undefined;
	/** The auth method, and what is sent to it: templates. */
	readonly login?: VaultLoginPlan | undefined;
	readonly namespace: string | undefined;
	/** How long a value is used before it is asked for again. */
	readonly keep_ms: number;
}

/** Everything a gateway needs to run. Deeply frozen. */
export interface Plan {
	readonly source: PlanSource;
	readonly listen: { readonly host: string; readonly port: number };
	/** How the gateway is reached from outside. */
	readonly front: FrontPlan;
	/** Absolute state folder. */
	readonly data: string;
	/** `scheme://name`, which allows every port, or `scheme://name:port`. */
	readonly allowed_origins: readonly string[];
	/** `name`, which allows every port, or `name:port`. */
	readonly allowed_hosts: readonly string[];
	/** Whether clients of the HTTP+SSE transport (2024-11-05) are served too. */
	readonly sse: boolean;
	readonly servers: readonly ServerPlan[];
	readonly endpoints: readonly EndpointPlan[];
	/** Undefined without identity: everyone who can connect is one person. */
	readonly identity: IdentityPlan | undefined;
	readonly limits: Limits;
	/** What is kept of calls; what holds by default where it is absent. */
	readonly calls?: CallsPlan;
	readonly audit?: AuditPlan;
	readonly approvals?: ApprovalsPlan;
	/** Apart from what is demanded of a call, which is stored with it: these hold secrets. */
	readonly approval_webhooks?: readonly ApprovalWebhookPlan[];
	/** The vault and its sources; what holds by default where it is absent. */
	readonly secrets?: SecretsPlan | undefined;
	/**
	 * Values that stand nowhere but in this configuration and the answers to its questions, by the
	 * reference that stands for them in a server's plan. A map, so that no JSON of a plan has them.
	 */
	readonly held: ReadonlyMap<string, string>;
	/** Who may do what. */
	readonly policy: PolicyPlan;
	/** Undefined: `default_telemetry`. */
	readonly telemetry?: TelemetryPlan | undefined;
	/** Undefined: `default_alerts`. */
	readonly alerts?: AlertsPlan | undefined;
	/** Things worth telling the user that are not errors. */
	readonly warnings: readonly string[];
}

/** Where a plan came from. */
export interface PlanSource {
	/** Absolute path, or undefined when there is no file. */
	readonly path: string | undefined;
	readonly format: "moorage" | "mcp-json" | "none";
}
