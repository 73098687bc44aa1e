/**
 * The one internal form of a configuration. Every human form (moorage.yaml, a client's
 * mcp.json) is compiled to a frozen Plan; nothing that runs ever reads YAML.
 */

/** Who shares one running instance of a server. */
export type Scope = "shared" | "tenant" | "user" | "session";

/** A server that is a program on this machine speaking MCP over its standard streams. */
export interface StdioSpec {
	readonly driver: "stdio";
	/** The program as written: `npx`, `uvx`, a path or a name on PATH. Never a shell line. */
	readonly command: string;
	readonly args: readonly string[];
	/** Added to the small environment every server gets; references are already resolved. */
	readonly env: Readonly<Record<string, string>>;
	/** Absolute working directory. */
	readonly cwd: string;
}

/** A server reached over Streamable HTTP. */
export interface HttpSpec {
	readonly driver: "http";
	/** Absolute http or https URL. */
	readonly url: string;
	/**
	 * `sse`: only the HTTP+SSE transport of 2024-11-05 is tried. Otherwise it is tried last,
	 * where a server refuses Streamable HTTP.
	 */
	readonly transport?: "sse";
	/** Sent with every request; references are already resolved. */
	readonly headers: Readonly<Record<string, string>>;
	/** How to be authorized by OAuth; undefined where the headers are all there is. */
	readonly auth?: OAuthSpec | undefined;
}

/** How Moorage is authorized at a remote server that wants OAuth. */
export interface OAuthSpec {
	readonly grant: "authorization_code" | "client_credentials";
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
}

/** How to run or reach a server; `driver` says which driver does it. */
export type ServerSpec = StdioSpec | HttpSpec;

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
	/** Calls in flight and waiting for one server instance. */
	readonly calls_per_server_max: number;
	/** How long a list waits for a server that is still starting. */
	readonly list_wait_ms: number;
	/** How long a client may take to send one request. */
	readonly request_read_ms: number;
}

/** Everything a gateway needs to run. Deeply frozen. */
export interface Plan {
	readonly source: PlanSource;
	readonly listen: { readonly host: string; readonly port: number };
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
	readonly limits: Limits;
	/** Things worth telling the user that are not errors. */
	readonly warnings: readonly string[];
}

/** Where a plan came from. */
export interface PlanSource {
	/** Absolute path, or undefined when there is no file. */
	readonly path: string | undefined;
	readonly format: "moorage" | "mcp-json" | "none";
}
