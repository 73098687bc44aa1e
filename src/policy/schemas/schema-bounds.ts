import type { Measure } from "../../lib/measure.ts";

/** Bounds of what is looked at when arguments are held against a schema. */

/** A schema that is larger than this is not used. */
export const schema_bounds: Measure = { items: 20_000, chars: 100_000, depth: 64 };

/** Arguments that are larger than this are not checked, but refused. */
export const argument_bounds: Measure = {
	items: 200_000,
	chars: Number.POSITIVE_INFINITY,
	depth: 200,
};

/** Times that a part of a schema may be applied to a part of the arguments. */
export const visits_max = 50_000;

/** Items of a list up to which they are compared with each other. */
export const unique_items_max = 128;
