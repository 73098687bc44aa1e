import { createHash } from "node:crypto";
import { access, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import type { StdioSpec } from "../../config/plan.ts";
import { confined, type PreparedServer, type Workshop } from "./confine.ts";
import { runProgram } from "./run-program.ts";

/** A server that does not end when its input does is asked to after this long. */
const flush_ms = 3_000;
const warm_up_ms_max = 20_000;
/** Written when a run was tried, whatever came of it: it is not tried at every start. */
const done_name = "done";
const cache_name = "v8";

/**
 * Loaded in front of the program in the run that fills the cache. Node writes the cache when a
 * program ends by itself; one that goes on without its input is ended from inside.
 */
const flush_module = `data:text/javascript,${encodeURIComponent(
	`import{flushCompileCache as f}from"node:module";` +
		`setTimeout(()=>{f();process.exit(0)},${flush_ms}).unref()`,
)}`;

/** The folder that holds everything prepared for a tree; it goes when the tree goes. */
export function preparedFolder(data_dir: string, tree_folder: string): string {
	return join(data_dir, "packages", "prepared", basename(tree_folder));
}

/**
 * Prepares V8's compile cache for a program: it is run once with its input closed, in the
 * sandbox it will be run in, because the cache belongs to a user id; later runs only read it.
 * Resolves with the cache's folder; undefined where none could be made. The run gets none of the
 * server's environment: what it is for needs no secrets.
 */
export async function prepareCompileCache(
	workshop: Workshop,
	tree_folder: string,
	file: string,
	spec: StdioSpec,
	server: PreparedServer,
): Promise<string | undefined> {
	const place = relative(tree_folder, file);
	const variant = [place, process.version, process.arch, server.plan.sandbox.mode];
	const name = createHash("sha256").update(variant.join("\n")).digest("hex").slice(0, 16);
	const folder = join(preparedFolder(workshop.data_dir, tree_folder), `cache-${name}`);
	const cache = join(folder, cache_name);
	try {
		if (!(await exists(join(folder, done_name)))) {
			await rm(folder, { recursive: true, force: true });
			await mkdir(folder, { recursive: true, mode: 0o700 });
			const finished = await warmUp(workshop, folder, file, spec, server);
			if (!finished) {
				return undefined;
			}
			for (const other of await readdir(folder)) {
				if (other !== cache_name) {
					await rm(join(folder, other), { recursive: true, force: true });
				}
			}
			await writeFile(join(folder, done_name), "");
		}
		return (await exists(cache)) ? cache : undefined;
	} catch {
		// A slower start is no reason not to start.
		return undefined;
	}
}

/** Whether the run came to an end, whatever its exit code says. */
async function warmUp(
	workshop: Workshop,
	folder: string,
	file: string,
	spec: StdioSpec,
	server: PreparedServer,
): Promise<boolean> {
	const at = spec.args.indexOf(file);
	const args = [...spec.args.slice(0, at), "--import", flush_module, ...spec.args.slice(at)];
	const { sandbox } = server.plan;
	const offline = { ...sandbox, egress: { kind: "hosts", hosts: [] } } as const;
	const quiet = { ...server, plan: { ...server.plan, sandbox: offline } };
	const outcome = await confined(workshop, quiet, folder, (confinement) =>
		runProgram(workshop.spawner, workshop.clock, {
			server: server.server,
			command: spec.command,
			args,
			env: { NODE_COMPILE_CACHE: join(folder, cache_name) },
			cwd: spec.cwd,
			confinement,
			deadline_ms: warm_up_ms_max,
			signal: server.signal,
		}),
	);
	return outcome.ok || outcome.problem.kind === "late";
}

async function exists(path: string): Promise<boolean> {
	return await access(path).then(
		() => true,
		() => false,
	);
}
