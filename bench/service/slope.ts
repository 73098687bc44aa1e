/** A straight line through measurements. */
export interface Slope {
	/** How much more for each step of `x`. */
	readonly per_step: number;
	/** Twice its standard error: a slope that is smaller than this may be none. */
	readonly noise: number;
}

/** The line with the least squares; undefined for fewer than three points. */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): Slope | undefined {
	const count = points.length;
	if (count < 3) return undefined;
	const mean = (at: 0 | 1) => points.reduce((sum, point) => sum + point[at], 0) / count;
	const [mean_x, mean_y] = [mean(0), mean(1)];
	let [squares, products] = [0, 0];
	for (const [x, y] of points) {
		squares += (x - mean_x) ** 2;
		products += (x - mean_x) * (y - mean_y);
	}
	if (squares === 0) return undefined;
	const per_step = products / squares;
	const rest = points.reduce((sum, [x, y]) => sum + (y - mean_y - per_step * (x - mean_x)) ** 2, 0);
	return { per_step, noise: 2 * Math.sqrt(rest / (count - 2) / squares) };
}
