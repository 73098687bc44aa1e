import type * as z from "zod";
import { Amounts } from "./amounts.ts";
import { ranges, release_watch_ms } from "./defaults.ts";
import { type Located, member, offsetOf, type Placed, placedItems } from "./located.ts";
import type { EgressPlan, IdlePlan, ReleasePlan, ResourcePlan, SandboxPlan } from "./plan.ts";
import type { Report } from "./report.ts";
import type { RunningPlan } from "./running.ts";
import type { running_schema } from "./schema-running.ts";
import { warm_time_pattern } from "./warm-times.ts";

/** The keys of a server that say how it is run, as checked. */
export type RunningForm = z.output<typeof running_schema>;

/** A `sandbox` block as checked. */
export type SandboxForm = RunningForm["sandbox"];

const egress_host = /^(\*\.)?[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?(:\d{1,5})?$/;
const egress_ipv6 = /^\[[0-9A-Fa-f:.]+\](:\d{1,5})?$/;
const port_max = 65_535;
/** Hosts of one server's allow-list. */
const egress_hosts_max = 256;

/** Semantic Versioning 2.0.0. */
const semver =
	/^\d+\.\d+\.\d+(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/;

/** Reads how servers are run; what is out of range goes to the report with its place. */
export class RunningReader {
	readonly #root: Located;
	readonly #report: Report;
	readonly #amounts: Amounts;

	constructor(root: Located, report: Report) {
		this.#root = root;
		this.#report = report;
		this.#amounts = new Amounts(root, report);
	}

	/** The plan of one server, but for the paths of its sandbox; `path` is where it stands. */
	read(form: RunningForm, path: readonly string[], inherited: SandboxPlan): RunningPlan {
		const { queue, health, packages } = form;
		return {
			instances: {
				concurrency_max: form.concurrency,
				replicas: form.replicas,
				instances_max: form.max_instances,
				queue_calls_max: queue.calls,
				queue_wait_ms: this.#duration(queue.wait, [...path, "queue", "wait"]),
			},
			idle: this.#idle(form, path),
			resources: this.#resources(form.limits, [...path, "limits"]),
			sandbox: this.sandbox(form.sandbox, [...path, "sandbox"], inherited),
			untrusted: form.untrusted,
			health: {
				ping_ms: this.#optionalDuration(health.ping, [...path, "health", "ping"]),
				fails_max: health.fails,
			},
			packages: { scripts: [...packages.scripts], bundle: packages.bundle },
			release: this.#release(form, path),
		};
	}

	/** A sandbox, but for its paths; a mode alone leaves the rest as it is inherited. */
	sandbox(form: SandboxForm, path: readonly string[], inherited: SandboxPlan): SandboxPlan {
		if (typeof form === "string") return { ...inherited, mode: form };
		return {
			mode: form.mode,
			egress: this.#egress(form.egress, [...path, "egress"]),
			read: [],
			write: [],
			bind_arguments: false,
		};
	}

	#idle(form: RunningForm, path: readonly string[]): IdlePlan {
		const { idle, warm } = form;
		for (const [index, text] of warm.at.entries()) {
			if (warm_time_pattern.test(text)) continue;
			this.#problem(
				[...path, "warm", "at", index],
				"This is not a time of the day.",
				"Write for example `08:00` or `mon-fri 08:00`.",
			);
		}
		return {
			keep: form.keep,
			freeze_ms: this.#optionalDuration(idle.freeze, [...path, "idle", "freeze"]),
			reclaim_ms: this.#optionalDuration(idle.reclaim, [...path, "idle", "reclaim"]),
			stop_ms: this.#optionalDuration(idle.stop, [...path, "idle", "stop"]),
			warm_at: [...warm.at],
			warm_on_list: warm.on_list,
		};
	}

	#resources(form: RunningForm["limits"], path: readonly string[]): ResourcePlan {
		return {
			memory_bytes_max: this.#optionalSize(form.memory, [...path, "memory"]),
			processes_max: unlessOff(form.processes),
			cpus_max: unlessOff(form.cpus),
			file_bytes_max: this.#optionalSize(form.file, [...path, "file"]),
			descriptors_max: unlessOff(form.open_files),
			disk_bytes_max: this.#optionalSize(form.disk, [...path, "disk"]),
			required: form.required,
		};
	}

	#egress(form: Exclude<SandboxForm, string>["egress"], path: readonly string[]): EgressPlan {
		if (form === "none") return { kind: "hosts", hosts: [] };
		if (typeof form === "string") return { kind: form };
		for (const [index, host] of form.entries()) {
			if (isEgressHost(host)) continue;
			this.#problem(
				[...path, index],
				"This is not the name of a host with an optional port.",
				"Write for example `api.example.com`, `*.example.com` or `db.example.com:5432`.",
			);
		}
		if (form.length > egress_hosts_max) {
			const text = `\`${path.join(".")}\` lists more than ${egress_hosts_max} hosts.`;
			this.#problem(path, text, "Use patterns such as `*.example.com`.");
		}
		return { kind: "hosts", hosts: form.map((host) => host.toLowerCase()) };
	}

	#release({ version, rollout }: RunningForm, path: readonly string[]): ReleasePlan {
		if (version !== undefined && !semver.test(version)) {
			this.#problem([...path, "version"], "This is not a semantic version.", "Write `1.2.0`.");
		}
		const watch_ms = this.#duration(rollout.watch, [...path, "rollout", "watch"]);
		return {
			version,
			percent: rollout.percent,
			errors_percent_max: rollout.errors,
			watch_ms: rollout.percent === 100 && watch_ms === release_watch_ms ? 0 : watch_ms,
		};
	}

	#optionalDuration(text: string, path: readonly string[]): number | undefined {
		return text === "never" ? undefined : this.#duration(text, path);
	}

	#duration(text: string, path: readonly string[]): number {
		return this.#amounts.duration(text, ranges.duration_ms, path);
	}

	#optionalSize(text: string, path: readonly string[]): number | undefined {
		if (text === "off") return undefined;
		return this.#amounts.size(text, ranges.resource_bytes, path);
	}

	#problem(path: readonly PropertyKey[], message: string, next: string): void {
		this.#report.problem(offsetOf(this.#root, path), message, next);
	}
}

/** The paths of a `sandbox` block, each still knowing its place. */
export function sandboxPaths(server: Located): { read: Placed[]; write: Placed[] } {
	const sandbox = member(server, "sandbox")?.value;
	return {
		read: placedItems(member(sandbox, "read")?.value),
		write: placedItems(member(sandbox, "write")?.value),
	};
}

function isEgressHost(text: string): boolean {
	if (!egress_host.test(text) && !egress_ipv6.test(text)) return false;
	const port = /:(\d{1,5})$/.exec(text.replace(/^\[.*\]/, ""))?.[1];
	return port === undefined || (Number(port) >= 1 && Number(port) <= port_max);
}

function unlessOff(amount: number | "off"): number | undefined {
	return amount === "off" ? undefined : amount;
}
