import type { ServerCatalog } from "../catalog/catalogs.ts";
import {
	compareCatalogs,
	describeDifference,
	differences_max,
	isBreaking,
} from "../catalog/compare.ts";
import type { ServerPlan } from "../config/plan.ts";
import type { PackageIdentity } from "../hosting/resolved.ts";
import { versionWarnings } from "./semver.ts";

/** A version as it is compared: what it runs, and what it offers. Both may not be known. */
export interface Offer {
	readonly identity: PackageIdentity | undefined;
	readonly catalog: ServerCatalog | undefined;
}

/** What is told of a new version: sentences. */
export interface OfferDifference {
	/** What it is otherwise than the old one. */
	readonly changes: readonly string[];
	/** What a person should look at before clients meet it. */
	readonly warnings: readonly string[];
}

/** What a new version runs and offers otherwise than the old one. */
export function compareOffers(
	before: Offer,
	after: Offer & { readonly catalog: ServerCatalog },
	plan: Pick<ServerPlan, "release">,
): OfferDifference {
	const said = versionWarnings({
		before: saidVersion(before.catalog),
		after: saidVersion(after.catalog),
		declared: plan.release.version,
	});
	const found = before.catalog === undefined ? [] : compareCatalogs(before.catalog, after.catalog);
	const breaking = "Some of what it offers may break clients that rely on the version before.";
	const lines = found.slice(0, differences_max).map(describeDifference);
	const more = found.length - lines.length;
	return {
		changes: [
			...packageChange(before.identity, after.identity),
			...lines,
			...(more > 0 ? [`and ${more} more differences`] : []),
		],
		warnings: isBreaking(found) ? [...said, breaking] : said,
	};
}

function packageChange(
	before: PackageIdentity | undefined,
	after: PackageIdentity | undefined,
): string[] {
	if (before === undefined || after === undefined || before.digest === after.digest) return [];
	const of = ({ version, integrity, digest }: PackageIdentity) =>
		version ?? short(integrity ?? digest);
	const [old, now] = [of(before), of(after)];
	const what = after.kind === "image" || after.kind === "program" ? after.kind : "package";
	if (before.name !== after.name) return [`${what} ${before.name} ${old} -> ${after.name} ${now}`];
	if (old !== now) return [`${what} ${after.name} ${old} -> ${now}`];
	// The same version may come with other versions of what it needs.
	return [`${what} ${after.name} ${now} with other versions of what it needs`];
}

function short(digest: string): string {
	return digest.slice(0, 19);
}

/** The version that a server says it is. */
function saidVersion(catalog: ServerCatalog | undefined): string | undefined {
	if (catalog === undefined) return undefined;
	const { version } = JSON.parse(catalog.server_info) as { version?: unknown };
	return typeof version === "string" ? version : undefined;
}
