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

/** Whether a pattern may match more than one name. */
export function isGlob(pattern: string): boolean {
	return /[*?]/.test(pattern);
}

/** Whether some name is matched by both patterns. Takes time by the product of their lengths. */
export function globsOverlap(one: string, other: string): boolean {
	// Whether what was read of `one`, and the first characters of `other`, match a name together.
	let reached = [true];
	for (const char of other) reached.push(char === "*" && reached.at(-1) === true);
	for (const a of one) {
		const next = [a === "*" && reached[0] === true];
		let at = 0;
		for (const b of other) {
			at += 1;
			const is_star = a === "*" || b === "*";
			const fits = a === "?" || b === "?" || a === b;
			// A star stands for nothing, or takes up what comes next in the other pattern.
			const found = is_star ? reached[at] || next[at - 1] : fits && reached[at - 1];
			next.push(found === true);
		}
		reached = next;
	}
	return reached.at(-1) === true;
}

/** Lists of patterns: an empty `allow` allows everything, and `deny` wins. */
export function passesGlobs(
	filter: { readonly allow: readonly string[]; readonly deny: readonly string[] },
	text: string,
): boolean {
	if (filter.deny.some((pattern) => matchesGlob(pattern, text))) return false;
	return filter.allow.length === 0 || filter.allow.some((pattern) => matchesGlob(pattern, text));
}
