/**
 * The protocol's revisions and the two eras they fall into. A revision is its release date,
 * so revisions compare as strings.
 */

/** `legacy`: initialize and sessions. `modern`: stateless, an envelope on every request. */
export type Era = "legacy" | "modern";

/** The newest revision of each era that Moorage speaks. */
export const latest_modern_revision = "2026-07-28";
export const latest_legacy_revision = "2025-11-25";

/** Every legacy revision, newest first. 2024-10-07 is a pre-release that SDKs still offer. */
export const legacy_revisions: readonly string[] = [
	"2025-11-25",
	"2025-06-18",
	"2025-03-26",
	"2024-11-05",
	"2024-10-07",
];

/** Every modern revision, newest first. */
export const modern_revisions: readonly string[] = ["2026-07-28"];

/** What an HTTP request without a version header speaks (transports, 2025-06-18). */
export const assumed_legacy_revision = "2025-03-26";

/** The only revision with JSON-RPC batches. */
export const batch_revision = "2025-03-26";

const revision_pattern = /^\d{4}-\d{2}-\d{2}$/;

/** The era a revision belongs to; anything that is not a date is treated as legacy. */
export function eraOf(revision: string): Era {
	return revision_pattern.test(revision) && revision >= latest_modern_revision
		? "modern"
		: "legacy";
}

/**
 * The revision to answer a legacy `initialize` with: the one asked for when it is known,
 * else the newest legacy one (lifecycle, version negotiation).
 */
export function negotiateLegacy(requested: string): string {
	return legacy_revisions.includes(requested) ? requested : latest_legacy_revision;
}
