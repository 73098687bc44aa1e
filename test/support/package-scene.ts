import {
	chmod,
	copyFile,
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	rm,
	symlink,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { StdioSpec } from "../../src/config/plan.ts";
import {
	PackageResolver,
	type PackageResolverOptions,
} from "../../src/hosting/packages/resolve.ts";
import { createSpawner } from "../../src/hosting/process/spawner.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { processEnvironment } from "../../src/lib/environment.ts";
import { systemRandom } from "../../src/lib/random.ts";

const fake_npm = fileURLToPath(new URL("./fake-npm.mjs", import.meta.url));

/** A machine on which the only npm is one that makes packages out of thin air. */
export async function packageScene(owner_id: string) {
	const root = await mkdtemp(join(tmpdir(), `moorage-${owner_id}-`));
	/** A Node without an npm beside it, and a PATH that holds the fake one. */
	const node_path = join(root, "node", "node");
	const PATH = [join(root, "bin"), dirname(process.execPath), "/usr/bin", "/bin"].join(":");
	await mkdir(join(root, "bin"));
	await mkdir(join(root, "node"));
	await symlink(process.execPath, node_path);
	await copyFile(fake_npm, join(root, "bin", "npm"));
	await chmod(join(root, "bin", "npm"), 0o755);
	const spawner = await createSpawner({
		data_dir: join(root, "spawner"),
		owner_id,
		clock: systemClock,
		random: systemRandom,
		environment: processEnvironment(),
	});
	let folders = 0;
	return {
		root,
		node_path,
		PATH,
		spawner,
		/** A resolver with a data folder and a registry of its own. */
		makeResolver(more: Partial<PackageResolverOptions> = {}) {
			folders += 1;
			const { data_dir = join(root, `data-${folders}`) } = more;
			const log = join(root, `log-${folders}`);
			const gate = join(root, `gate-${folders}`);
			const registry = join(root, `registry-${folders}.json`);
			const resolver = new PackageResolver({
				environment: {
					PATH,
					HOME: root,
					FAKE_NPM_LOG: log,
					FAKE_NPM_GATE: gate,
					FAKE_NPM_REGISTRY: registry,
				},
				clock: systemClock,
				random: systemRandom,
				spawner,
				node_path,
				...more,
				data_dir,
			});
			return {
				resolver,
				data_dir,
				openGate: () => writeFile(gate, ""),
				/** How the registry is from now on. */
				setRegistry: (state: object) => writeFile(registry, JSON.stringify(state)),
				/** What the fake npm has done, line by line. */
				done: async () =>
					(await readFile(log, "utf8").catch(() => "")).split("\n").filter((line) => line !== ""),
				/** What is left in the folder of npm packages. */
				kept: () => readdir(join(data_dir, "packages", "npm")).catch(() => []),
			};
		},
		/** A command line as a configuration has it. */
		stdio(command: string, more: Partial<StdioSpec> = {}): StdioSpec {
			const [program = "", ...args] = command.split(" ");
			return { driver: "stdio", command: program, args, env: {}, cwd: root, ...more };
		},
		async close() {
			await spawner.close();
			await rm(root, { recursive: true });
		},
	};
}
