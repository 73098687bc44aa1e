/** Where people are led by default: the dashboard. */
const home = "/";
/** Pages that people come to by a link: the dashboard, at a place of it, and the others. */
const target_form =
	/^\/(?:$|#\/[^\s]*$|approvals\/[^/]+$|oauth\/connect(?:\/[^/]+)?$|sign-in\/done$)/;
const target_chars_max = 1024;

/**
 * The page that somebody is led to once they are signed in. An address may name it, so that only
 * pages of ours count: whatever else it says leads to the dashboard.
 */
export function targetOf(named: string | null | undefined): string {
	if (named === undefined || named === null || named.length > target_chars_max) return home;
	if (!named.startsWith("/")) return home;
	// Browsers take these for a slash, or leave them out: what is compared must be what they read.
	for (const character of named) {
		if (character <= " " || character === "\\" || character > "~") return home;
	}
	const origin = "http://here.invalid";
	const url = URL.parse(named, origin);
	if (url === null || url.origin !== origin) return home;
	const written = url.pathname + url.search + url.hash;
	return target_form.test(url.pathname + url.hash) && written.startsWith("/") ? written : home;
}
