import { join } from "node:path";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { fileStore } from "../../src/secrets/master-stores.ts";
import { Vault } from "../../src/secrets/vault.ts";
import { openDatabase } from "../../src/store/database.ts";
import { SqlSecretRepository } from "../../src/store/secret-repository.ts";

/** A process that takes another master key again and again, until it is killed. */

const folder = process.argv[2] ?? "";
const database = await openDatabase({ path: join(folder, "moorage.db"), clock: systemClock });
if (!database.ok) throw new Error(database.problem.message);
const vault = new Vault({
	rows: new SqlSecretRepository(database.value.connection),
	master: fileStore(join(folder, "keys", "master-key"), systemRandom),
	clock: systemClock,
	random: systemRandom,
});
for (;;) {
	const rotated = await vault.rotateMaster(undefined);
	if (!rotated.ok) throw new Error(rotated.problem.message);
	process.stdout.write(`${rotated.value.id}\n`);
}
