import * as z from "zod";
import {
	default_health,
	default_idle,
	default_instances,
	default_release,
	default_resources,
	ranges,
	release_watch_ms,
} from "./defaults.ts";
import { duration_pattern, formatDuration, formatSize, size_pattern } from "./units.ts";

/**
 * The keys of a server in moorage.yaml that say how it is run: who shares it, when it sleeps,
 * what it may use and reach. Part of the one table that schema.ts is.
 */

/** Ends the check there: else nothing would be told of the words that would do as well. */
const formOf = (kind: "duration" | "size", pattern: RegExp) =>
	z.string(kind).regex(pattern, { error: kind, abort: true });
const duration = formOf("duration", duration_pattern);
const size = formOf("size", size_pattern);
const count = z.int().min(ranges.count[0]).max(ranges.count[1]);
const never = z.literal("never");
const off = z.literal("off");
const texts = z.array(z.string().min(1));

const queue_schema = z.strictObject({
	calls: count
		.default(default_instances.queue_calls_max)
		.describe("Calls that may wait for one instance; one more is refused with when to try again."),
	wait: duration
		.default(formatDuration(default_instances.queue_wait_ms))
		.describe("How long a call waits at most."),
});

const idle_schema = z.strictObject({
	freeze: z
		.union([duration, never])
		.default(formatDuration(default_idle.freeze_ms ?? 0))
		.describe("Unused for this long, it is frozen: no processor, awake again in a millisecond."),
	reclaim: z
		.union([duration, never])
		.default(formatDuration(default_idle.reclaim_ms ?? 0))
		.describe("Unused for this long, a frozen one gives its memory back, where the machine can."),
	stop: z
		.union([duration, never])
		.default(formatDuration(default_idle.stop_ms ?? 0))
		.describe("Unused for this long, it is stopped; its next call starts it."),
});

const warm_schema = z.strictObject({
	at: texts
		.default([])
		.describe("Local times at which it is started or woken: `08:00`, `mon-fri 08:00`."),
	on_list: z
		.boolean()
		.default(false)
		.describe("Whether a client that lists its tools wakes it beforehand."),
});

const resources_schema = z.strictObject({
	memory: z
		.union([size, off])
		.default(formatSize(default_resources.memory_bytes_max ?? 0))
		.describe("Memory of all its processes together."),
	processes: z
		.union([count, off])
		.default(default_resources.processes_max ?? 0)
		.describe("Processes and threads at one time; Node needs 32."),
	cpus: z
		.union([z.number().min(0.01).max(1024), off])
		.default("off")
		.describe("Processor cores it may use once it has started: `0.5` is half a core."),
	file: z
		.union([size, off])
		.default(formatSize(default_resources.file_bytes_max ?? 0))
		.describe("Largest single file it may write."),
	open_files: z
		.union([count, off])
		.default(default_resources.descriptors_max ?? 0)
		.describe("Files and connections one of its processes may have open."),
	disk: z
		.union([size, off])
		.default(formatSize(default_resources.disk_bytes_max ?? 0))
		.describe("What its volume and temporary folder may hold together."),
	required: z
		.boolean()
		.default(false)
		.describe("Whether it is refused where one of these limits cannot be enforced."),
});

const sandbox_mode = z.enum(["on", "off", "required"]);

const sandbox_schema = z.union([
	sandbox_mode,
	z.strictObject({
		mode: sandbox_mode
			.default("on")
			.describe(
				"`on`: where the machine can, and said where it cannot; `required`: or it does not start.",
			),
		egress: z
			.union([z.enum(["none", "public", "open"]), texts])
			.default("none")
			.describe(
				"The hosts it reaches, as a list (`api.example.com`, `*.example.com`, `db.example.com:5432`); `none`; `public`: every public host, recorded; `open`: the network as it is, unrecorded.",
			),
		read: texts
			.default([])
			.describe("Folders and files it may read, beside the system and its own package."),
		write: texts
			.default([])
			.describe("Folders and files it may write, beside its volume and its temporary folder."),
	}),
]);

const health_schema = z.strictObject({
	ping: z
		.union([duration, never])
		.default(formatDuration(default_health.ping_ms ?? 0))
		.describe("How often it is asked for a sign of life while it is awake and has said nothing."),
	fails: z
		.int()
		.min(1)
		.max(100)
		.default(default_health.fails_max)
		.describe("Signs of life that may be missing before it is started anew."),
});

const packages_schema = z.strictObject({
	scripts: texts
		.default([])
		.describe("Packages whose install scripts are run; all others' are not."),
	bundle: z
		.boolean()
		.default(false)
		.describe(
			"Whether the package is bundled into one file when it is installed, to start faster.",
		),
});

const release_schema = z.strictObject({
	percent: z
		.int()
		.min(1)
		.max(100)
		.default(default_release.percent)
		.describe("Share of the calls that a new version gets at first."),
	watch: duration
		.default(formatDuration(release_watch_ms))
		.describe("How long a new version with a share below 100 is watched before it gets all."),
	errors: z
		.int()
		.min(0)
		.max(100)
		.default(default_release.errors_percent_max)
		.describe("Failed calls in percent above which the old version takes over again."),
});

/** The keys; their shape is spread into the schema of a server. */
export const running_schema = z.strictObject({
	concurrency: count.optional().describe("Calls one instance works on at a time; others wait."),
	replicas: z
		.int()
		.min(1)
		.max(64)
		.default(default_instances.replicas)
		.describe("Instances that share the work of a `shared` server; a session sticks to one."),
	max_instances: count
		.default(default_instances.instances_max)
		.describe("Most instances at one time, of all callers together."),
	queue: queue_schema.prefault({}).describe("Who waits for an instance that is busy or asleep."),
	keep: z
		.enum(["always", "warm", "on-demand"])
		.default(default_idle.keep)
		.describe(
			"`always`: never put to sleep; `warm`: frozen but never stopped; `on-demand`: put to sleep as `idle` says.",
		),
	idle: idle_schema.prefault({}).describe("When an unused instance is put to sleep."),
	warm: warm_schema.prefault({}).describe("When it is woken before anyone calls."),
	limits: resources_schema.prefault({}).describe("What one instance may use up."),
	sandbox: sandbox_schema
		.default("on")
		.describe("How an instance is shut off from the machine: a mode, or a map."),
	untrusted: z
		.boolean()
		.default(false)
		.describe("Whether the server is not trusted: it is then refused where no sandbox works."),
	health: health_schema.prefault({}).describe("How a server that hangs is found."),
	packages: packages_schema.prefault({}).describe("How its package is installed."),
	version: z
		.string()
		.optional()
		.describe(
			"The semantic version it is expected to be; a server that says another is warned of.",
		),
	rollout: release_schema.prefault({}).describe("How a new version takes over from the old."),
});
