import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Audit } from "../../src/audit/audit.ts";
import { CallLog } from "../../src/calls/call-log.ts";
import { default_telemetry } from "../../src/config/telemetry-plan.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { SecretRedactor } from "../../src/secrets/redactor.ts";
import { Telemetry } from "../../src/telemetry/telemetry.ts";
import { QuietLog } from "../../test/support/quiet-log.ts";
import { startProgram } from "../contenders.ts";

const secrets = 100;

/** All that keeps evidence of calls, as a gateway has it. */
export interface EvidenceHouse {
	readonly audit: Audit;
	readonly log: CallLog;
	/** Counts, and makes a trace of every call. */
	readonly telemetry: Telemetry;
	/** Entries, lines and traces that were lost: the machine was too busy to measure. */
	lost(): number;
	/** Ends it and removes what it wrote. */
	close(): Promise<void>;
}

/** In a folder of its own, with secrets to look for and a collector that takes everything. */
export async function openEvidence(
	onAppended?: (append_ms: number) => void,
): Promise<EvidenceHouse> {
	const folder = mkdtempSync(join(tmpdir(), "moorage-bench-evidence-"));
	const collector = await startProgram("collector");
	const redactor = new SecretRedactor();
	for (let n = 0; n < secrets; n += 1) redactor.add(`a-secret-of-number-${n}-and-more`);
	const clock = systemClock;
	const audit = new Audit({
		clock,
		data: {
			folder: join(folder, "audit"),
			seed: Buffer.alloc(32, 1),
			box_key: Buffer.alloc(32, 2),
			segment_bytes_max: 64 * 1024 * 1024,
			payload_bytes_max: 8 * 1024 * 1024,
			retention: { keep_ms: 1e12, risks: {}, tenants: {} },
		},
		required: false,
		redactor,
		onTrouble: () => undefined,
		wait_ms_max: 60_000,
		...(onAppended === undefined ? {} : { onAppended }),
	});
	const data = {
		folder: join(folder, "calls"),
		file: { bytes_max: 64 * 1024 * 1024, files_max: 8 },
		history: { keep_ms: 1e12, calls_max: 1e9 },
	};
	const log = new CallLog({ clock, data, stdout: undefined, redactor, onTrouble: () => undefined });
	const url = `http://127.0.0.1:${collector.port}`;
	const otlp = { url, headers: {}, traces: true, metrics: false, interval_ms: 60_000 };
	const telemetry = new Telemetry(
		{ clock, log: new QuietLog(), version: "1", instance_id: "bench", redactor },
		{ ...default_telemetry, otlp },
	);
	return {
		audit,
		log,
		telemetry,
		lost() {
			const { entries_lost, payloads_lost } = audit.totals;
			const { dropped, failed } = log.totals;
			return entries_lost + payloads_lost + dropped + failed + telemetry.lost;
		},
		async close() {
			await Promise.all([audit.close(), log.close(), telemetry.stop()]);
			await collector.stop();
			rmSync(folder, { recursive: true });
		},
	};
}
