import { canonicalJson } from "./fingerprint.ts";
import type { ServerPlan } from "./plan.ts";

/** Members whose values may be secrets: that they changed is said, never what they are. */
const secret_members: ReadonlySet<string> = new Set([
	"env",
	"headers",
	"auth",
	"url",
	"args",
	"client_secret",
	"private_key",
]);

const text_chars_max = 80;

/**
 * What differs between two plans of one server, for people: `idle.freeze_ms: 30000 -> 5000`,
 * `spec.env.TOKEN: changed`. What may hold a secret is named and not shown.
 */
export function describeChanges(before: ServerPlan, after: ServerPlan): string[] {
	const { fingerprint: _, ...old_plan } = before;
	const { fingerprint: __, ...new_plan } = after;
	return compare(old_plan, new_plan, [], false);
}

function compare(
	before: unknown,
	after: unknown,
	path: readonly string[],
	secret: boolean,
): string[] {
	if (canonicalJson(before ?? null) === canonicalJson(after ?? null)) return [];
	if (isObject(before) && isObject(after)) {
		const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
		return names.flatMap((name) =>
			compare(before[name], after[name], [...path, name], secret || secret_members.has(name)),
		);
	}
	const at = path.join(".");
	if (before === undefined) return [`${at}: ${secret ? "added" : `${show(after)} is new`}`];
	if (after === undefined) return [`${at}: ${secret ? "removed" : `${show(before)} is gone`}`];
	return [`${at}: ${secret ? "changed" : `${show(before)} -> ${show(after)}`}`];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
	const text = JSON.stringify(value);
	return text.length <= text_chars_max ? text : `${text.slice(0, text_chars_max)}...`;
}
