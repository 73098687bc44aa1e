/**
 * `npm run chaos`: real clients, servers and a gateway, all of which are killed, cut off and
 * slowed down in the middle of bursts of calls. `--seed N` plays the same calls and blows again
 * (the machine still decides how they interleave), `--bursts N` plays more or fewer of them,
 * `--minutes N` plays bursts for so long, `--json` prints the report alone.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { runChaos } from "../test/chaos/run.ts";

const { values } = parseArgs({
	options: {
		seed: { type: "string" },
		bursts: { type: "string", default: "4" },
		minutes: { type: "string" },
		json: { type: "boolean" },
	},
});

/** Problems of one check that are printed; the rest is counted. */
const printed_max = 10;

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const print = (text: string): void => void process.stdout.write(`${text}\n`);

const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
/** What is played by default is over by then, however slow the machine. */
const minutes_default = 2.5;

const timed = values.minutes !== undefined;
const bursts = Number(values.bursts);
const minutes = timed ? Number(values.minutes) : minutes_default;
const are_numbers = Number.isSafeInteger(seed) && Number.isSafeInteger(bursts);
if (!are_numbers || bursts < 1 || !(minutes > 0)) {
	say("--seed and --bursts take whole numbers, --minutes a number above 0.");
	process.exit(2);
}
say(`seed ${seed}`);
const report = await runChaos({
	seed,
	bursts: timed ? Number.POSITIVE_INFINITY : bursts,
	play_ms_max: minutes * 60_000,
	clients_per_kind: 3,
	say,
});
const failed = report.checks.filter(({ problems }) => problems.length > 0);
if (values.json === true) {
	print(JSON.stringify(report));
} else {
	for (const [kind, counts] of Object.entries(report.calls)) {
		print(
			`${kind}: ${Object.entries(counts)
				.map(([outcome, n]) => `${n} ${outcome}`)
				.join(", ")}`,
		);
	}
	for (const { name, problems } of report.checks) {
		print(`${problems.length === 0 ? "ok  " : "FAIL"} ${name}`);
		for (const problem of problems.slice(0, printed_max)) print(`     ${problem}`);
		if (problems.length > printed_max) print(`     and ${problems.length - printed_max} more`);
	}
	if (failed.length > 0) print(`Play it again with: npm run chaos -- --seed ${seed}`);
	print(`\n${report.checks.length - failed.length} passed, ${failed.length} failed`);
}
// Clients of the SDKs may still have timers of connections they no longer want.
process.exit(failed.length > 0 ? 1 : 0);
