import type { ResourcePlan, SandboxPlan } from "../config/plan.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import type { Result } from "../lib/result.ts";
import type { Fault } from "../protocol/fault.ts";
import type { GrantOwner } from "../store/grant-repository.ts";
import type { Edit, Message } from "../wire/message.ts";
import type { EraVerdicts } from "./era-verdicts.ts";

/**
 * The driver seam: what the rest of the house knows of a kind of server.
 * Lifecycle in four verbs: `open -> request/notify -> drain -> close`. A constructor does
 * nothing; every side effect starts in `open`.
 */
export interface Driver<Spec> {
	/** Folder name, configuration key and metric label at once. */
	readonly kind: string;
	/** Starts or connects, performs the handshake, resolves when the server is usable. */
	open(spec: Spec, context: DriverContext): Promise<Result<Upstream, Fault>>;
}

/** What a driver is given. It takes time, randomness and processes from here only. */
export interface DriverContext {
	/** The server's name, for faults and log lines. */
	readonly server: string;
	/**
	 * Whose authorization is used at a remote server; absent where it is everybody's. `nobody`:
	 * a person's who is not known any more.
	 */
	readonly owner?: GrantOwner | "nobody" | undefined;
	readonly clock: Clock;
	readonly random: Random;
	/** Aborts an `open` that is no longer wanted. */
	readonly signal: AbortSignal;
	readonly start_ms: number;
	readonly stop_ms: number;
	/** Longest accepted message from the server. */
	readonly reply_bytes_max: number;
	/** What the server is told the client can do: a JSON object. */
	readonly client_capabilities: string;
	/** Sent as `clientInfo`: a JSON object. */
	readonly client_info: string;
	/** Starts processes; only the stdio driver uses it. */
	readonly spawner: Spawner;
	/** How what is started is shut off from the machine, and what it may use up. */
	readonly confinement?: Confinement | undefined;
	/**
	 * What is known of the eras that programs speak. Without it the legacy handshake is tried
	 * first, and nothing is started to find out.
	 */
	readonly era_verdicts?: EraVerdicts | undefined;
	/**
	 * Names the way in which it is run, without the values that are put in at its start; by default
	 * all of its spec does.
	 */
	readonly way?: string | undefined;
	/**
	 * The configured headers with the values of today, for whoever was refused with others; undefined
	 * where they cannot be had.
	 */
	readonly freshHeaders?: (() => Promise<Readonly<Record<string, string>> | undefined>) | undefined;
	/** Messages of the server that belong to no call: list changes, updates, logs. */
	onPush(message: Message): void;
	/** A request of the server that belongs to no call, or to more than one. */
	onRequest(request: UpstreamAsk): void;
	/** One line the server wrote for people (stderr, or noise on stdout), or that is said of it. */
	onLine(stream: LineStream | "odd", line: string): void;
	/** The upstream is gone without having been asked to close. Called at most once. */
	onGone(reason: GoneReason): void;
}

/**
 * Where a line came from; `event` lines are written by the driver itself. What it says as `odd` is
 * something that no server should do: it becomes such a line, unless there are too many.
 */
export type LineStream = "stderr" | "stdout" | "event";

/** Why an upstream went away. */
export interface GoneReason {
	/** A sentence: "exited with code 1", "was killed by SIGKILL", "closed the connection". */
	readonly message: string;
	readonly exit_code: number | null;
	readonly signal: string | null;
}

/** What a server said of itself in its handshake. */
export interface Hello {
	readonly era: "legacy" | "modern";
	/** The revision spoken on this connection, e.g. "2025-11-25". */
	readonly revision: string;
	/** Raw JSON objects, kept as the server wrote them. */
	readonly capabilities: string;
	readonly server_info: string;
	readonly instructions: string | undefined;
}

/** One usable connection to a server. */
export interface Upstream {
	readonly hello: Hello;
	/** Requests sent and not yet answered, subscriptions aside: those stay open for ever. */
	readonly in_flight: number;
	/**
	 * Answers it has given so far, and signs of progress: a change shows that it is alive. Missing
	 * where nothing of ours runs that could hang.
	 */
	readonly answers?: number | undefined;
	/** How it is put to sleep; undefined where there is nothing of ours to put to sleep. */
	readonly hibernation?: Hibernation | undefined;
	/** What shuts it off from the machine; undefined where nothing of it runs here. */
	readonly isolation?: Isolation | undefined;
	/**
	 * Sends a request and resolves with its reply. Never rejects: what goes wrong is a fault.
	 * The upstream owns the request id and the progress token on this hop: it replaces both,
	 * and gives messages back with the client's own token in place. A reply comes with the
	 * bytes and the id of this hop: whoever passes it on puts the client's id in with its own
	 * edits, in one copy.
	 */
	request(request: UpstreamRequest): Promise<Result<Message, Fault>>;
	/**
	 * Sends these configured headers from the next request on, in the place of those before. Missing
	 * where there are no headers.
	 */
	useHeaders?(headers: Readonly<Record<string, string>>): void;
	/** Sends a notification; lost silently when the server is gone. */
	notify(message: Message, edits: readonly Edit[]): void;
	/** Resolves when nothing is in flight, or when this much time has passed. */
	drain(wait_ms: number): Promise<void>;
	/** Ends it gracefully, then by force. Idempotent; resolves when nothing is left of it. */
	close(): Promise<void>;
}

/** A client's request on its way to a server. */
export interface UpstreamRequest {
	/** The client's message, bytes as they came. */
	readonly message: Message;
	/** Changes to apply before sending; never touch `id` or `_meta.progressToken`. */
	readonly edits: readonly Edit[];
	/** The tool name, prompt name, resource uri or task id, as the server knows it. */
	readonly name: string | undefined;
	/** Aborting tells the server to stop and resolves with a `call_cancelled` fault. */
	readonly signal: AbortSignal;
	/** The call fails with `call_timeout` after this long without an answer or progress. */
	readonly call_ms: number;
	/** Extra HTTP headers for a remote server (`Mcp-Param-*`). */
	readonly headers?: Readonly<Record<string, string>> | undefined;
	/** The trace that a remote server is told of in an HTTP header (W3C Trace Context). */
	readonly traceparent?: string | undefined;
	/**
	 * Raw JSON of the definition of the tool that is called, as far as it is known: a modern
	 * server over HTTP wants some arguments in headers too, and the definition says which.
	 */
	readonly tool_schema?: (() => Buffer | undefined) | undefined;
	/**
	 * Undefined while whoever is told of this call keeps up. Else it resolves once that has caught
	 * up or is gone: until then a transport that can reads no more of what belongs to this call
	 * alone, so that the server waits with its next word.
	 */
	backlog?(): Promise<void> | undefined;
	/** Notifications that belong to this call: progress, and logs where the wire tells. */
	onNotification?(message: Message): void;
	/** A request of the server that this call caused (elicitation, sampling, roots). */
	onRequest?(request: UpstreamAsk): void;
}

/** A request from a server, waiting for an answer. */
export interface UpstreamAsk {
	/** The server's own message. */
	readonly message: Message;
	/**
	 * Answers once; later answers are ignored. The text is the raw JSON of `result` or `error`.
	 */
	answer(outcome: AskOutcome): void;
	/** Aborts when the server withdraws the request or goes away. */
	readonly signal: AbortSignal;
}

/** How a server's request is answered; the text is raw JSON. */
export type AskOutcome =
	| { readonly kind: "result"; readonly json: string | Buffer }
	| { readonly kind: "error"; readonly json: string | Buffer };

/** Starts programs. The implementation decides how they are contained and swept. */
export interface Spawner {
	/** Says that a confined program is about to be spawned, so that the way is made ready for it. */
	expect?(): void;
	/** Resolves as soon as the program runs; a missing program is a `command_missing` fault. */
	spawn(request: SpawnRequest): Promise<Result<ChildHandle, Fault>>;
}

/** What to run. There is no shell anywhere: the command is a program, args are args. */
export interface SpawnRequest {
	readonly server: string;
	readonly command: string;
	readonly args: readonly string[];
	/** Added to the small environment that every program gets. */
	readonly env: Readonly<Record<string, string>>;
	readonly cwd: string;
	/** Undefined for our own tools, such as package installers, which run as the gateway does. */
	readonly confinement?: Confinement | undefined;
}

/** What shuts an instance off from the machine and from other instances. */
export interface Confinement {
	readonly sandbox: SandboxPlan;
	readonly untrusted: boolean;
	readonly resources: ResourcePlan;
	/** Absolute folder of its own that outlives it; it exists already. */
	readonly volume: string;
	/** Absolute private temporary folder; it exists, and is removed after the instance's end. */
	readonly temp: string;
	/** Names the instance among all of this gateway: `server/scope-key-hash/number`. */
	readonly instance: string;
	/** Absolute folders it must be able to read to run at all: its package, its runtime. */
	readonly needs: readonly string[];
	/** How it reaches the network from its sandbox; without it a closed network stays closed. */
	readonly way?: SandboxWay | undefined;
}

/** What a sandbox is given so that its program reaches its proxy, and nothing else. */
export interface SandboxWay {
	/** Files to be bound into the sandbox, read-only. */
	readonly binds: readonly { readonly from: string; readonly to: string }[];
	/** Stands in front of the program inside the sandbox, and becomes it. */
	readonly prefix: readonly string[];
	/** Added to the program's environment; what the configuration sets itself is kept. */
	readonly env: Readonly<Record<string, string>>;
	/** The same for a sandbox without a network of its own, where there may be one. */
	readonly loopback?: LoopbackWay | undefined;
	/** For programs that this very Node runs, where it can be told of a proxy late. */
	readonly late?: LateProxy | undefined;
	/** For a sandbox without a network of its own: what sees what is tried past the proxy. */
	readonly witness?: EgressWitness | undefined;
}

/** Stands in front of what holds a program back, and tells the proxy of what it tries. */
export interface EgressWitness {
	/** Absolute path of the witness. */
	readonly path: string;
	/** Absolute path of the unix socket that it tells. */
	readonly socket_path: string;
}

/** What makes Node heed its proxy once it has started, which makes the start quick. */
export interface LateProxy {
	/** The module that it loads first, to be bound into the sandbox. */
	readonly bind: { readonly from: string; readonly to: string };
}

/** How a program reaches its proxy on the machine's own network. */
export interface LoopbackWay {
	/** The proxy's port on 127.0.0.1. */
	readonly port: number;
	/** As in `SandboxWay`; holds the secret that the proxy asks for. */
	readonly env: Readonly<Record<string, string>>;
}

/** Putting something that runs to sleep and waking it; its memory and connections stay. */
export interface Hibernation {
	/** Stops it from using the processor; false where that failed and it runs on. Idempotent. */
	freeze(): Promise<boolean>;
	/** Lets it run again. Whatever was written to it in between is read then. Idempotent. */
	thaw(): Promise<void>;
	/** Gives memory of something frozen back; resolves with the bytes, 0 where that cannot be. */
	reclaim(): Promise<number>;
	/** What it uses now; undefined where the machine does not tell. */
	usage(): Promise<InstanceUsage | undefined>;
}

/** What shuts something that runs off from the machine. `none`: it runs as the gateway does. */
export type SandboxKind = "bubblewrap" | "landlock" | "container" | "none";

/** The sandbox that something runs in. */
export interface SandboxState {
	readonly kind: SandboxKind;
	/** Sentences: what it was given beside its own folders, or why it has no sandbox. */
	readonly notes: readonly string[];
}

/** How something that runs is shut off, as people should know it. */
export interface Isolation {
	readonly sandbox: SandboxState;
	/** See `ChildHandle.notes`. */
	notes(): readonly string[];
}

/** What an instance uses. */
export interface InstanceUsage {
	readonly memory_bytes: number;
	/** Processor time since its start, in milliseconds. */
	readonly cpu_ms: number;
	readonly processes: number;
}

/** A running program and everything it started. */
export interface ChildHandle {
	/** Pid of the contained program's outermost process. */
	readonly pid: number;
	readonly stdin: NodeJS.WritableStream;
	readonly stdout: NodeJS.ReadableStream;
	readonly stderr: NodeJS.ReadableStream;
	/** Resolves once when the program has ended. */
	readonly exited: Promise<{ code: number | null; signal: string | null }>;
	/** How all of it is put to sleep at once. */
	readonly hibernation?: Hibernation | undefined;
	/**
	 * Why it ended, where that is known beyond its exit code: `ran out of memory (limit 1GiB)`.
	 * Asked for after `exited`.
	 */
	readonly end_reason?: (() => string | undefined) | undefined;
	/** Whether it had to be killed because it did not end when it was asked to. */
	readonly was_killed?: (() => boolean) | undefined;
	/** What a person should know of this run: a limit that could not be set, a refused host. */
	readonly notes?: (() => readonly string[]) | undefined;
	/** What shuts it off from the machine; undefined where that is not known. */
	readonly sandbox?: SandboxState | undefined;
	/**
	 * Tells that it has started and is ready for work. Limits that would only have made the start
	 * slow hold from then on.
	 */
	readonly settled?: (() => void) | undefined;
	/** Close stdin, wait, SIGTERM to the whole tree, wait, SIGKILL to the whole tree. */
	stop(grace_ms: number): Promise<void>;
	/** SIGKILL to the whole tree at once. */
	kill(): void;
}
