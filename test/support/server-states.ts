import type { DaemonOptions } from "../../src/daemon/options.ts";
import type { ServerStateName } from "../../src/hosting/states.ts";
import type { InstanceStatus, ServerStatus } from "../../src/hosting/status.ts";

type Progress = Parameters<NonNullable<DaemonOptions["onProgress"]>>[0];

/**
 * Follows what a gateway tells of its servers, so that a test can wait for a state and count
 * what was started or woken.
 */
export class ServerStates {
	readonly #latest = new Map<string, ServerStatus>();
	readonly #rises = new Map<string, number>();
	readonly #waiting = new Set<() => void>();

	/** To be given to the gateway. */
	readonly onProgress = (progress: Progress): void => {
		if (progress.kind !== "state") return;
		const { status } = progress;
		const before = this.#latest.get(status.name);
		for (const instance of status.instances) {
			if (!rises(before, instance)) continue;
			this.#rises.set(status.name, this.rises(status.name) + 1);
		}
		this.#latest.set(status.name, status);
		for (const check of [...this.#waiting]) check();
	};

	/** What was told last; undefined as long as nothing has happened to the server. */
	of(server: string): ServerStatus | undefined {
		return this.#latest.get(server);
	}

	/** How often an instance of a server was started or woken. */
	rises(server: string): number {
		return this.#rises.get(server) ?? 0;
	}

	/** Resolves when a server is in a state. */
	reach(server: string, state: ServerStateName): Promise<void> {
		return this.until(server, (status) => status?.state === state);
	}

	/** Resolves when a server's status is as wanted. */
	until(server: string, is: (status: ServerStatus | undefined) => boolean): Promise<void> {
		return new Promise((resolve) => {
			const check = () => {
				if (!is(this.of(server))) return;
				this.#waiting.delete(check);
				resolve();
			};
			this.#waiting.add(check);
			check();
		});
	}
}

function rises(before: ServerStatus | undefined, instance: InstanceStatus): boolean {
	const known = before?.instances.find(({ id }) => id === instance.id);
	if (instance.state === "starting") return known?.state !== "starting";
	return instance.state === "ready" && known?.state === "frozen";
}
