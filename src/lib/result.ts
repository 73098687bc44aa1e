/** The outcome of something that may fail while operating: errors are values, not exceptions. */
export type Result<Value, Problem> =
	| { readonly ok: true; readonly value: Value }
	| { readonly ok: false; readonly problem: Problem };

/** A successful outcome. */
export function succeed<Value>(value: Value): { readonly ok: true; readonly value: Value } {
	return { ok: true, value };
}

/** A failed outcome. */
export function fail<Problem>(problem: Problem): {
	readonly ok: false;
	readonly problem: Problem;
} {
	return { ok: false, problem };
}
