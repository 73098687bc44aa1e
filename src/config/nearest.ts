/** The known name a mistyped one most likely means, or undefined when none is close. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
	const wanted = simplify(name);
	const same = known.find((candidate) => simplify(candidate) === wanted);
	if (same !== undefined) return same;
	let best: string | undefined;
	let best_distance = Number.POSITIVE_INFINITY;
	for (const candidate of known) {
		const distance = editDistance(wanted, simplify(candidate));
		if (distance < best_distance) [best, best_distance] = [candidate, distance];
	}
	// A third of the letters may differ, and never more than three.
	const allowed = Math.min(3, Math.max(1, Math.floor(wanted.length / 3)));
	return best_distance <= allowed ? best : undefined;
}

/** Letters and digits only, so that `allowedHosts` and `allowed-hosts` meet `allowed_hosts`. */
function simplify(name: string): string {
	return name
		.slice(0, 64)
		.toLowerCase()
		.replaceAll(/[^a-z0-9]/g, "");
}

/** How many letters must be inserted, removed, replaced or swapped with a neighbour. */
function editDistance(a: string, b: string): number {
	let before_last: number[] = [];
	let last = Array.from({ length: b.length + 1 }, (_, column) => column);
	for (let row = 1; row <= a.length; row += 1) {
		const current = [row];
		for (let column = 1; column <= b.length; column += 1) {
			const same = a[row - 1] === b[column - 1];
			let cost = Math.min(
				(last[column] ?? 0) + 1,
				(current[column - 1] ?? 0) + 1,
				(last[column - 1] ?? 0) + (same ? 0 : 1),
			);
			const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
			if (row > 1 && column > 1 && swapped) {
				cost = Math.min(cost, (before_last[column - 2] ?? 0) + 1);
			}
			current.push(cost);
		}
		before_last = last;
		last = current;
	}
	return last[b.length] ?? 0;
}
