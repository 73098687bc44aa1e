import type { RevokedGrants } from "../admin/contracts/upstream-grants.ts";
import { type Output, printable } from "./output.ts";

/** Says at which authorization servers what was ended here has still to be ended by hand. */
export function noteUntold(
	issuers: readonly RevokedGrants["issuers"][number][],
	output: Output,
): void {
	const untold = issuers.filter(({ outcome }) => outcome !== "revoked");
	for (const { issuer, outcome } of untold) {
		if (outcome === "queued") {
			output.note(
				`${printable(issuer)} has not been told, because no gateway runs: the next one tells it when it ` +
					"starts. End it on its own page if that must not wait.",
			);
			continue;
		}
		const why = outcome === "failed" ? "could not be told" : "cannot be told";
		output.note(`${printable(issuer)} ${why}: end it on its own page as well.`);
	}
}
