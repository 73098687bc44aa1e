import type { ApiProblem } from "./api.ts";

/** What a refusal says of each field of a form, and what stands at none of them. */
export interface Placed<Name extends string> {
	readonly at: { readonly [Field in Name]?: string };
	/** To be told beside the form's fields; undefined: everything stands at one. */
	readonly rest: ApiProblem | undefined;
}

/**
 * Puts what a refusal says to the fields that it is about.
 * @param fields the members of the body that the form has fields for; a mistake in a part of one
 *   (`roles.0`) belongs to the first of them that fits
 * @param codes fields that a whole code is about, where a refusal names no members
 */
export function placed<Name extends string>(
	problem: ApiProblem | undefined,
	fields: readonly Name[],
	codes: Readonly<Record<string, Name>> = {},
): Placed<Name> {
	const at: { [Field in Name]?: string } = {};
	if (problem === undefined) return { at, rest: undefined };
	const errors = problem.errors ?? [];
	const unplaced = errors.filter(({ field, message }) => {
		const name = fields.find((one) => field === one || field.startsWith(`${one}.`));
		if (name !== undefined) at[name] = [at[name], message].filter(Boolean).join(" ");
		return name === undefined;
	});
	const field = codes[problem.code];
	if (errors.length === 0 && field !== undefined) {
		at[field] = `${problem.message} ${problem.next}`;
		return { at, rest: undefined };
	}
	return { at, rest: errors.length > 0 && unplaced.length === 0 ? undefined : problem };
}
