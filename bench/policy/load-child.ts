/**
 * A process that loads the people of a database and many rules, and prints what that took:
 *
 *   node --expose-gc load-child.ts DATABASE
 */
import { stdout } from "node:process";
import { Passwords } from "../../src/identity/passwords.ts";
import { People } from "../../src/identity/people.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { CurrentPolicy } from "../../src/policy/current-policy.ts";
import { compileRules } from "../../src/policy/rules.ts";
import { openDatabase } from "../../src/store/database.ts";
import { SqlPeopleRepository } from "../../src/store/people-repository.ts";
import { planOf } from "../../test/support/policy.ts";
import { manyRules } from "./rules.ts";

const [, , path = ""] = process.argv;
const opened = await openDatabase({ path });
if (!opened.ok) throw new Error(opened.problem.detail);
const people = new People({
	repository: new SqlPeopleRepository(opened.value.connection),
	passwords: new Passwords(systemRandom),
	clock: systemClock,
	random: systemRandom,
	noteKeyUse: () => undefined,
});
const plan = planOf({ rules: manyRules() });

function megabytes(): { rss_mb: number; heap_mb: number } {
	globalThis.gc?.();
	const { rss, heapUsed } = process.memoryUsage();
	return { rss_mb: rss / 1024 ** 2, heap_mb: heapUsed / 1024 ** 2 };
}

async function measured(work: () => Promise<void> | void): Promise<number> {
	const before = process.cpuUsage();
	await work();
	const { user, system } = process.cpuUsage(before);
	return (user + system) / 1000;
}

const before = megabytes();
const people_cpu_ms = await measured(() => people.restore());
let policy: CurrentPolicy | undefined;
const rules_cpu_ms = await measured(() => {
	if (!compileRules(plan.policy).ok) throw new Error("the rules are wrong");
	policy = new CurrentPolicy(plan);
});
const after = megabytes();
if (people.users().length === 0 || policy === undefined) throw new Error("nothing was loaded");
stdout.write(
	JSON.stringify({
		people_cpu_ms,
		rules_cpu_ms,
		load_cpu_ms: people_cpu_ms + rules_cpu_ms,
		memory_mb: after.rss_mb - before.rss_mb,
		heap_mb: after.heap_mb - before.heap_mb,
	}),
);
await opened.value.close();
