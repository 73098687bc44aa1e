import { SecretRedactor } from "../../src/secrets/redactor.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";

const secrets = 1_000;
const rounds = 40_000;
const warm_rounds = 10_000;

/** A line like those of a log, again and again, without a secret in it. */
const line =
	'{"level":"info","time":"2026-09-01T12:00:00.000Z","server":"github","instance":3,' +
	'"message":"the call took longer than usual and returned 14 items of page 3"}\n';

/** CPU microseconds of one thread for each KB of text and of bytes. */
export function measureRedaction(): Promise<Readonly<Record<string, number>>> {
	const random = new SeededRandom(7);
	const redactor = new SecretRedactor();
	for (let index = 0; index < secrets; index += 1) {
		const beginning = index % 3 === 0 ? "sk-ant-api03-" : "ghp_";
		redactor.add(beginning + random.bytes(15 + (index % 20)).toString("base64url"));
	}
	const text = line.repeat(10).slice(0, 1024);
	const bytes = Buffer.from(text);
	return Promise.resolve({
		text_us_per_kb: cost(() => redactor.text(text)),
		bytes_us_per_kb: cost(() => redactor.bytes(bytes)),
	});
}

function cost(work: () => unknown): number {
	for (let round = 0; round < warm_rounds; round += 1) work();
	const before = process.cpuUsage();
	for (let round = 0; round < rounds; round += 1) work();
	const { user, system } = process.cpuUsage(before);
	return Math.round(((user + system) / rounds) * 100) / 100;
}
