/**
 * A process of its own that writes an audit until it is killed.
 *
 *   audit-child.ts FOLDER FIRST   says `intent ID` and `outcome ID` for whatever was acknowledged
 */
import { writeSync } from "node:fs";
import { Audit } from "../../src/audit/audit.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { SecretRedactor } from "../../src/secrets/redactor.ts";
import { audit_test_keys } from "./audit-keys.ts";
import { sampleRecord } from "./call-record.ts";

const [, , folder, first] = process.argv;
if (folder === undefined || first === undefined)
	throw new Error("a folder and a number are needed");
const audit = new Audit({
	clock: systemClock,
	data: {
		folder,
		...audit_test_keys,
		// Small, so that new segments are begun in the middle of it too.
		segment_bytes_max: 30_000,
		payload_bytes_max: 100_000,
		retention: { keep_ms: 1e12, risks: {}, tenants: {} },
	},
	required: true,
	// A busy machine is no reason to stop here.
	wait_ms_max: 120_000,
	redactor: new SecretRedactor(),
	onTrouble: (trouble) => {
		throw new Error(JSON.stringify(trouble));
	},
});

const pause = new Int32Array(new SharedArrayBuffer(4));

/** Synchronous: what was said is in the pipe when the process is killed. */
function say(text: string): void {
	let left = Buffer.from(`${text}\n`);
	while (left.length > 0) {
		try {
			left = left.subarray(writeSync(1, left));
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
			Atomics.wait(pause, 0, 0, 1);
		}
	}
}

/** One caller after the other, several at a time. */
async function call(from: number, step: number): Promise<void> {
	for (let n = from; ; n += step) {
		const id = `call-${n}`;
		const risk = n % 3 === 0 ? "read" : "destructive";
		const reply = Buffer.alloc((n * 37) % 3_000, "r");
		const record = sampleRecord({ id, risk, user: `user-${n % 5}` }, { reply });
		if (risk === "read") {
			void audit.after(record);
			continue;
		}
		await audit.before(record);
		say(`intent ${id}`);
		await audit.after(record);
		say(`outcome ${id}`);
	}
}

await Promise.all([0, 1, 2, 3, 4, 5, 6].map((lane) => call(Number(first) + lane, 7)));
