import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { VolumeCopies } from "../../src/hosting/volume-copies.ts";
import { Forks } from "../../src/releases/forks.ts";
import { Versions } from "../../src/releases/versions.ts";
import { box_key_bytes, SecretBox } from "../../src/secrets/box.ts";
import { FakeClock } from "./fake-clock.ts";
import { QuietLog } from "./quiet-log.ts";
import { SeededRandom } from "./seeded-random.ts";
import { openTestStore } from "./test-store.ts";

/**
 * Forks and versions over a real store and real folders. `open` takes both over from what is
 * stored, as the next run of a gateway does; a server named "files" is configured.
 */
export async function forkHouse(context: TestContext) {
	const data = await mkdtemp(join(tmpdir(), "moorage-forks-"));
	context.after(() => rm(data, { recursive: true }));
	const clock = new FakeClock();
	const store = await openTestStore(clock);
	context.after(() => store.database.close());
	const random = new SeededRandom(4);
	const box = new SecretBox(random.bytes(box_key_bytes), random);
	const log = new QuietLog();
	const stillness = { still: async () => async () => {} };
	const volumes = new VolumeCopies(data, stillness, random);
	const repository = store.repositories.versions;
	const open = async () => {
		const forks = new Forks({ clock, log, repository, box, volumes });
		const versions = new Versions({ clock, log, repository, box });
		await versions.restore();
		await volumes.sweep();
		await forks.restore(new Set(["files"]));
		return { forks, versions };
	};
	return { data, log, clock, open, ...(await open()) };
}
