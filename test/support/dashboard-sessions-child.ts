/**
 * A process that signs people in for ever, until it is killed.
 *
 *   dashboard-sessions-child.ts PATH KEY   prints `open ID TOKEN REPLACED` for each session that
 *                                          was opened, in the place of the one named last
 */
import { argv, stdout } from "node:process";
import { DashboardSessions } from "../../src/admin/dashboard-sessions.ts";
import { sessionStore } from "../../src/daemon/dashboard/session-store.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { SecretBox } from "../../src/secrets/box.ts";
import { openTestStore } from "./test-store.ts";

const [, , path, key] = argv;
const { database } = await openTestStore(systemClock, path);
const sessions = new DashboardSessions({
	...{ clock: systemClock, random: systemRandom, store: sessionStore(database) },
	box: new SecretBox(Buffer.from(key as string, "base64url"), systemRandom),
});
await sessions.restore();
let before: string | undefined;
for (let n = 0; ; n += 1) {
	// Every third browser signs in once more.
	const replaced = n % 3 === 0 ? undefined : before;
	const holder = { kind: "credential", credential: `key ${n}` } as const;
	const { id, token } = await sessions.open(holder, `acme/person ${n % 5}`, replaced);
	stdout.write(`open ${id} ${token} ${replaced ?? "none"}\n`);
	before = id;
}
