/**
 * Glob patterns over names: `*` is any run of characters, `?` is one. Matching walks both
 * strings once with one point to fall back to, so no pattern can make it slow.
 */
export function matchesGlob(pattern: string, text: string): boolean {
	let p = 0;
	let t = 0;
	let star = -1;
	let resume = 0;
	while (t < text.length) {
		const wanted = pattern[p];
		if (wanted === "*") {
			star = p;
			resume = t;
			p += 1;
		} else if (wanted === "?" || (wanted !== undefined && wanted === text[t])) {
			p += 1;
			t += 1;
		} else if (star >= 0) {
			p = star + 1;
			resume += 1;
			t = resume;
		} else {
			return false;
		}
	}
	while (pattern[p] === "*") p += 1;
	return p === pattern.length;
}

/** Lists of patterns: an empty `allow` allows everything, and `deny` wins. */
export function passesGlobs(
	filter: { readonly allow: readonly string[]; readonly deny: readonly string[] },
	text: string,
): boolean {
	if (filter.deny.some((pattern) => matchesGlob(pattern, text))) return false;
	return filter.allow.length === 0 || filter.allow.some((pattern) => matchesGlob(pattern, text));
}
