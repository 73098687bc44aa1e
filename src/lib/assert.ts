import { ok } from "node:assert/strict";

/** Throws when a thing the programmer holds to be always true is not. Never for user input. */
export function assert(condition: unknown, message: string): asserts condition {
	ok(condition, message);
}
