import type { Overview } from "../admin/contract.ts";
import type { Plan } from "../config/plan.ts";
import type { ConfigProblem } from "../config/problem.ts";
import type { ServerStatus } from "../hosting/hosting.ts";
import type { ContainmentMode } from "../hosting/process/containment.ts";
import type { Clock } from "../lib/clock.ts";
import type { Environment } from "../lib/environment.ts";
import type { Random } from "../lib/random.ts";
import type { Result } from "../lib/result.ts";
import type { SecretRedactor } from "../secrets/redactor.ts";
import type { Log } from "../telemetry/log.ts";
import type { OAuthSeams } from "../upstreams/http/oauth/upstream-auths.ts";
import type { DashboardParts } from "./dashboard/backend.ts";

/** What a gateway is started with. */
export interface DaemonOptions {
	/** Reads the configuration; called again at every reload. */
	readonly load: (text?: string) => Promise<Result<Plan, readonly ConfigProblem[]>>;
	/** How clients are connected to an address, for the dashboard to show. */
	readonly clientLines?: DashboardParts["clientLines"];
	readonly environment: Environment;
	readonly clock: Clock;
	readonly random: Random;
	readonly log: Log;
	/** Takes secrets out of all that is written and shown; the log's own. */
	readonly redactor?: SecretRedactor | undefined;
	/** Forces how programs are contained, instead of probing for the best. */
	readonly containment?: ContainmentMode;
	/** Shows the pages of authorization servers; by default their addresses are logged. */
	readonly authorize?: OAuthSeams["authorize"];
	/** False when the configuration file is not to be watched. */
	readonly watch?: boolean;
	/** A socket that listens already, in the place of the plan's address. */
	readonly listen_fd?: number | undefined;
	/** How long requests in flight may go on when the gateway stops. */
	readonly drain_ms?: number;
	readonly onProgress?: (event: ProgressEvent) => void;
}

/** What happens while a gateway starts and runs, for people to see. */
export type ProgressEvent =
	| { readonly kind: "install"; readonly server: string; readonly text: string }
	| { readonly kind: "state"; readonly status: ServerStatus }
	| {
			readonly kind: "reloaded";
			readonly added: readonly string[];
			readonly removed: readonly string[];
			readonly changed: readonly string[];
			readonly settings: readonly string[];
			readonly warnings: readonly string[];
	  }
	| { readonly kind: "refused"; readonly problems: readonly ConfigProblem[] };

/** A running gateway. */
export interface Daemon {
	readonly url: string;
	readonly plan: Plan;
	readonly admin_token_path: string;
	/** Resolves when every eager server is ready or has failed, or the wait is over. */
	settled(wait_ms: number): Promise<void>;
	overview(): Overview;
	/** Where the dashboard is; on a first start without identity the address signs in, once. */
	dashboardAddress(): string;
	/** Reads the configuration again; on mistakes everything runs on as it was. */
	reload(): Promise<Result<Reloaded, readonly ConfigProblem[]>>;
	/** Ends everything, in bounded time; nothing is left behind. Idempotent. */
	stop(): Promise<void>;
	/** Resolves when the gateway has stopped. */
	readonly stopped: Promise<void>;
}

/** What a reload did. */
export interface Reloaded {
	readonly added: readonly string[];
	readonly removed: readonly string[];
	readonly changed: readonly string[];
	/** Keys of the configuration, beside `servers`, that say something else. */
	readonly settings: readonly string[];
	readonly warnings: readonly string[];
}
