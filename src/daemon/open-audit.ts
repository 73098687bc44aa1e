import { Audit, type AuditOptions } from "../audit/audit.ts";
import type { AuditPlaces } from "../audit/places.ts";
import { retentionOf } from "../audit/retention.ts";
import { seed_bytes } from "../audit/signing-key.ts";
import type { AuditPlan } from "../config/evidence-plan.ts";
import type { Random } from "../lib/random.ts";
import { type Result, succeed } from "../lib/result.ts";
import { box_key_bytes } from "../secrets/box.ts";
import { ensureKeyFile, type KeyFileProblem } from "../secrets/key-file.ts";

const segment_bytes_max = 64 * 1024 * 1024;

/** What an audit is written with. */
export interface AuditKeys {
	/** Of the key that signs it. */
	readonly seed: Buffer;
	/** The key that the keys of payloads are sealed with. */
	readonly box_key: Buffer;
}

/** The keys of the audit of a data folder, made on first use. */
export async function auditKeys(
	places: AuditPlaces,
	random: Random,
): Promise<Result<AuditKeys, KeyFileProblem>> {
	const seed = await ensureKeyFile(places.signing_key, seed_bytes, random);
	if (!seed.ok) return seed;
	const box_key = await ensureKeyFile(places.payload_key, box_key_bytes, random);
	return box_key.ok ? succeed({ seed: seed.value, box_key: box_key.value }) : box_key;
}

/**
 * The audit of a data folder, to be written to; undefined where it is off. Without keys everything
 * is lost, and counted; a required audit then refuses what it is to write down.
 */
export function openAudit(
	parts: Pick<
		AuditOptions,
		"clock" | "redactor" | "onTrouble" | "onAppended" | "after" | "wait_ms_max"
	> & {
		readonly places: AuditPlaces;
		readonly keys: AuditKeys | undefined;
		readonly plan: AuditPlan;
	},
): Audit | undefined {
	const { places, keys, plan, ...rest } = parts;
	const { mode, payload_bytes_max } = plan;
	if (mode === "off") return undefined;
	const { seed, box_key } = keys ?? { seed: Buffer.alloc(0), box_key: Buffer.alloc(0) };
	const retention = retentionOf(plan);
	return new Audit({
		...rest,
		data: {
			folder: places.folder,
			...{ seed, box_key, segment_bytes_max, payload_bytes_max, retention },
		},
		required: mode === "required",
	});
}
