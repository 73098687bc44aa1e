/**
 * Whether what there is now is what an If-Match asks for (RFC 9110 section 13.1.1).
 * @param wanted the header: `*`, which anything fits that is there, or tags with commas between
 * @param now the strong entity tag of what there is; undefined where there is nothing
 */
export function fitsTag(wanted: string, now: string | undefined): boolean {
	if (now === undefined) return false;
	const tags = wanted.split(",").map((tag) => tag.trim());
	return tags.includes("*") || tags.includes(now);
}
