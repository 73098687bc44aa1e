/** What came out of one measurement: values with their unit in the name, or why there are none. */
export type Measured = Readonly<Record<string, number>> | { readonly skipped: string };

/** One row, or a few rows, of the hosting table. */
export interface HostingCase {
	/** Starts with `hosting-`. */
	readonly name: string;
	readonly title: string;
	/** `short` is for checks that nobody waits for: fewer repetitions. */
	measure(short: boolean): Promise<Measured>;
}

/** Why something was not measured, or undefined where it was. */
export function reasonOf(measured: Measured): string | undefined {
	const { skipped } = measured;
	return typeof skipped === "string" ? skipped : undefined;
}
