import { randomBytes } from "node:crypto";
import { readdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Forked } from "../../src/admin/contract.ts";
import { valuesOf } from "./distribution.ts";
import { mountXfs } from "./file-system.ts";
import type { HostingCase, Measured } from "./measured.ts";
import { echoServer, type Scene, withScene } from "./scene.ts";

const file_count = 100;
const file_bytes = 1_000_000;

const forks: HostingCase = {
	name: "hosting-fork",
	title: "a fork of a server that has 100 MB in its volume, on XFS that shares blocks or copies",
	async measure(): Promise<Measured> {
		if (process.platform !== "linux" || process.getuid?.() !== 0) {
			return { skipped: "file systems can be mounted by root on Linux only" };
		}
		try {
			const shared = await measureOn(true, 15);
			const copied = await measureOn(false, 5);
			return {
				...valuesOf("shared", shared.fork_ms),
				...valuesOf("shared_first_call", shared.first_call_ms),
				...valuesOf("copied", copied.fork_ms),
			};
		} catch (error) {
			if (!(error instanceof NotMounted)) throw error;
			return { skipped: `no XFS could be made and mounted here: ${error.message}` };
		}
	},
};

class NotMounted extends Error {}

async function measureOn(shares_blocks: boolean, rounds: number) {
	const mounted = await mountXfs(shares_blocks).catch((error: unknown) => {
		throw new NotMounted(error instanceof Error ? error.message.trim() : String(error));
	});
	try {
		const config = { servers: { harbour: { ...echoServer(), keep: "always" } } };
		return await withScene(config, (scene) => forkRepeatedly(scene, rounds), {
			folder: mounted.folder,
		});
	} finally {
		await mounted.unmount();
	}
}

/** Forks, checks the copy, calls it once and throws it away; the times of all rounds. */
async function forkRepeatedly(scene: Scene, rounds: number) {
	await scene.ask("harbour");
	const volume = (await scene.status("harbour")).instances[0]?.volume;
	if (volume === undefined) throw new Error("the server has no volume");
	for (let index = 0; index < file_count; index += 1) {
		await writeFile(join(volume, `file-${index}`), randomBytes(file_bytes));
	}
	const [fork_ms, first_call_ms]: [number[], number[]] = [[], []];
	for (let round = 0; round < rounds; round += 1) {
		const name = `preview-${round}`;
		const started = performance.now();
		const forked = (await scene.admin("POST", "/api/servers/harbour/fork", { name })) as Forked;
		fork_ms.push(performance.now() - started);
		const copy = join(dirname(dirname(volume)), forked.name, "shared");
		const bytes = await bytesIn(copy);
		if (bytes < file_count * file_bytes) throw new Error(`${copy} has ${bytes} bytes`);
		first_call_ms.push(await scene.ask(forked.name));
		await scene.admin("DELETE", `/api/servers/${forked.name}`);
	}
	return { fork_ms, first_call_ms };
}

async function bytesIn(folder: string): Promise<number> {
	const names = (await readdir(folder)).filter((name) => name.startsWith("file-"));
	const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
	return sizes.reduce((sum, size) => sum + size, 0);
}

/** Copies of servers with their files. */
export const fork_cases: readonly HostingCase[] = [forks];
