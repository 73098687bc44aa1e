import {
	default_health,
	default_idle,
	default_instances,
	default_packages,
	default_release,
	default_resources,
} from "./defaults.ts";
import type { ServerPlan } from "./plan.ts";

/** How a server is run, beside what it is: the part of its plan that every kind shares. */
export type RunningPlan = Pick<
	ServerPlan,
	"instances" | "idle" | "resources" | "sandbox" | "untrusted" | "health" | "packages" | "release"
>;

/**
 * How a server of a client's file is run. Such a file says nothing of what the server needs, so
 * it gets the folders named in its arguments, and public hosts.
 */
export const client_running: RunningPlan = Object.freeze({
	instances: default_instances,
	idle: default_idle,
	resources: default_resources,
	sandbox: Object.freeze({
		mode: "on",
		egress: Object.freeze({ kind: "public" }),
		read: Object.freeze([]),
		write: Object.freeze([]),
		bind_arguments: true,
	}),
	untrusted: false,
	health: default_health,
	packages: default_packages,
	release: default_release,
});

/** How a server declared in moorage.yaml is run where the file says nothing: with no network. */
export const declared_running: RunningPlan = Object.freeze({
	...client_running,
	sandbox: Object.freeze({
		...client_running.sandbox,
		egress: Object.freeze({ kind: "hosts", hosts: Object.freeze([]) }),
		bind_arguments: false,
	}),
});
