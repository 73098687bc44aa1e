import { stat } from "node:fs/promises";
import { auditPlaces } from "../../audit/places.ts";
import { seed_bytes, signerOf, type Verifier, verifierFrom } from "../../audit/signing-key.ts";
import { ensureKeyFile } from "../../secrets/key-file.ts";
import type { CommandContext } from "../context.ts";
import { exit_codes } from "../exit-codes.ts";
import { CommandFailure, usageFailure } from "../failure.ts";

/** The key that the audit of a state folder is verified with; fails where there is none. */
export async function auditVerifier(
	data: string,
	public_key: string | undefined,
	context: CommandContext,
): Promise<Verifier> {
	if (public_key !== undefined) {
		const verifier = verifierFrom(public_key);
		if (verifier !== undefined) return verifier;
		throw usageFailure(
			"--public-key is not a key of this audit.",
			"Give what `moorage audit key` printed.",
		);
	}
	const path = auditPlaces(data).signing_key;
	const exists = await stat(path).then(
		() => true,
		() => false,
	);
	if (!exists) {
		throw new CommandFailure({
			exit_code: exit_codes.failed,
			code: "audit_key_missing",
			message: `The state folder ${data} has no key of an audit.`,
			next: "Name the folder with --data, or the key with --public-key.",
		});
	}
	const seed = await ensureKeyFile(path, seed_bytes, context.random);
	if (seed.ok) return signerOf(seed.value).verifier;
	const { message, next } = seed.problem;
	throw new CommandFailure({ exit_code: exit_codes.failed, code: "audit_key", message, next });
}

/** `moorage audit key` */
export async function printAuditKey(
	data: string,
	options: { readonly json: boolean; readonly public_key: string | undefined },
	context: CommandContext,
): Promise<number> {
	const { public_key } = await auditVerifier(data, options.public_key, context);
	if (options.json) context.output.json({ public_key });
	else context.output.line(public_key);
	return exit_codes.ok;
}
