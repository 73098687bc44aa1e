// @ts-check
/** Which Node is new enough to run Moorage. Runs on Node 18 and later, without dependencies. */

/**
 * The oldest Node whose standard library has all that the source uses (`crypto.randomUUIDv7` came
 * last). An older Node 24 is replaced just like Node 20 is.
 */
export const node_version_min = "24.16.0";

/**
 * Whether `version` (such as "24.21.0" or "v24.21.0") is at least `node_version_min`. Anything
 * that is not a released version is not new enough.
 * @param {string} version
 * @returns {boolean}
 */
export function isNewEnough(version) {
	const found = /^v?(\d+)\.(\d+)\.(\d+)$/.exec(version.trim());
	if (found === null) return false;
	const least = node_version_min.split(".").map(Number);
	for (let place = 0; place < 3; place++) {
		const difference = Number(found[place + 1]) - Number(least[place]);
		if (difference !== 0) return difference > 0;
	}
	return true;
}
