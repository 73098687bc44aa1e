import type { JSX } from "preact";

const width = 120;
const height = 28;

/** A line of the last minute, second by second; its words say the same. */
export function Spark({
	values,
	label,
}: {
	values: readonly number[];
	label: string;
}): JSX.Element {
	const top = Math.max(1, ...values);
	const step = width / Math.max(1, values.length - 1);
	const points = values.map(
		(value, at) =>
			`${(at * step).toFixed(1)},${(height - 2 - (value / top) * (height - 4)).toFixed(1)}`,
	);
	const quiet = values.every((value) => value === 0);
	return (
		<svg
			class="spark"
			viewBox={`0 0 ${width} ${height}`}
			preserveAspectRatio="none"
			role="img"
			aria-label={label}
		>
			{quiet ? (
				<path class="base" d={`M0 ${height - 2}H${width}`} />
			) : (
				<>
					<path class="area" d={`M0 ${height}L${points.join("L")}L${width} ${height}z`} />
					<path class="line" d={`M${points.join("L")}`} />
				</>
			)}
		</svg>
	);
}
