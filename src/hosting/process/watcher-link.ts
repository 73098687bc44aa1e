import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import type { Clock, Timer } from "../../lib/clock.ts";
import type { SpawnerLog } from "./log.ts";

/** What the watcher is started with. */
export interface WatcherOptions {
	/** The watcher's program: `watcher.ts` in a checkout, its bundle in a release. */
	readonly watcher_path: string;
	readonly ledger_path: string;
	readonly owner_id: string;
	readonly env: Readonly<Record<string, string>>;
	readonly clock: Clock;
	readonly log: SpawnerLog | undefined;
	/** How often one that ended is replaced. */
	readonly restarts_max?: number | undefined;
}

/** A watcher that was killed is replaced after this long, and only so often. */
const restart_pause_ms = 1_000;
const restarts_max_default = 20;

/** The gateway's side of the watcher: starts it, replaces it, lets it go. */
export class WatcherLink {
	readonly #options: WatcherOptions;
	#child: ChildProcess | undefined;
	#gone: Promise<void> = Promise.resolve();
	#restarts = 0;
	#pause: Timer | undefined;
	#closed = false;

	constructor(options: WatcherOptions) {
		this.#options = options;
	}

	/** Starts the watcher. Its death is noticed and repaired. */
	start(): void {
		const { watcher_path, ledger_path, owner_id, env, log } = this.#options;
		const child = spawn(process.execPath, [watcher_path, ledger_path, owner_id], {
			// Its own session: a Ctrl-C in the gateway's terminal is not meant for it.
			detached: true,
			stdio: ["pipe", "ignore", "ignore"],
			cwd: "/",
			env: { ...env },
			windowsHide: true,
		});
		this.#child = child;
		// The watcher must not keep a gateway alive that has nothing left to do.
		child.unref();
		(child.stdin as unknown as { unref?(): void } | null)?.unref?.();
		child.stdin?.on("error", () => {});
		this.#gone = new Promise((resolve) => {
			child.on("error", (error) => {
				log?.warn({ error: error.message }, "the process watcher could not be started");
				resolve();
			});
			child.on("exit", (code, signal) => {
				resolve();
				this.#restart(code, signal);
			});
		});
	}

	/** The watcher's pid while there is one. */
	get pid(): number | undefined {
		return this.#child?.pid;
	}

	/** Lets the watcher end: it finds nothing left to do. Resolves when it is gone. */
	async close(): Promise<void> {
		this.#closed = true;
		this.#pause?.cancel();
		this.#child?.ref();
		this.#child?.stdin?.end();
		await this.#gone;
	}

	#restart(code: number | null, signal: string | null): void {
		if (this.#closed) {
			return;
		}
		this.#child = undefined;
		this.#restarts += 1;
		const { restarts_max = restarts_max_default } = this.#options;
		const again = this.#restarts <= restarts_max;
		this.#options.log?.warn(
			{ code, signal, restarts: this.#restarts },
			again
				? "the process watcher ended; starting another"
				: "the process watcher keeps ending; leftovers are swept at the next start only",
		);
		if (again) {
			this.#pause = this.#options.clock.afterIdle(restart_pause_ms, () => this.start());
		}
	}
}
