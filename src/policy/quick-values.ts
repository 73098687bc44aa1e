/**
 * What conditions make of values, for the kinds of values that leave no doubt. In all of this
 * undefined means "not sure": no value of an expression is undefined.
 */

/** Names that objects have without anybody giving them: there only a look at their own counts. */
export function isInherited(name: string): boolean {
	return name in Object.prototype;
}

/** Whether a value is one that JSON is made of, as far as can be told without looking into it. */
function isPlain(value: unknown): boolean {
	if (typeof value !== "object") return value !== undefined;
	if (value === null) return true;
	// What has a member of this name of its own is no object to the library, which fails.
	const { constructor } = value;
	return constructor === Object || constructor === Array;
}

/** The same of what the library looks at to tell the type of a list or a map. */
export function isPlainDeep(value: unknown): boolean {
	let one = value;
	while (typeof one === "object" && one !== null) {
		if (!isPlain(one)) return false;
		if (Array.isArray(one)) one = one[0] ?? null;
		else one = firstMember(one);
	}
	return isPlain(one);
}

function firstMember(object: object): unknown {
	for (const name in object) return (object as Record<string, unknown>)[name];
	return null;
}

/** A value as it is, where there is no doubt of its type. */
export function sure(value: unknown): unknown {
	return isPlain(value) ? value : undefined;
}

/** The member of an object; not sure where there is none, or where it is no object. */
export function memberOf(of: unknown, name: string, inherited: boolean): unknown {
	if (typeof of !== "object" || of === null || of.constructor !== Object) return undefined;
	if (inherited && !Object.hasOwn(of, name)) return undefined;
	return sure((of as Record<string, unknown>)[name]);
}

/** A part of what is known beforehand, such as the person. */
export function fieldOf(of: unknown, name: string): unknown {
	if (typeof of !== "object" || of === null || !Object.hasOwn(of, name)) return undefined;
	return sure((of as Record<string, unknown>)[name]);
}

/** Whether an object has a member of this name. */
export function hasMember(of: unknown, name: string): boolean | undefined {
	if (typeof of !== "object" || of === null || of.constructor !== Object) return undefined;
	if (!Object.hasOwn(of, name)) return false;
	return sure((of as Record<string, unknown>)[name]) === undefined ? undefined : true;
}

/** The item of a list. */
export function itemOf(of: unknown, index: number): unknown {
	return Array.isArray(of) && index < of.length ? sure(of[index]) : undefined;
}

/** Whether two values are the same, of which neither holds others. */
export function isSame(one: unknown, other: unknown): boolean | undefined {
	if (!isScalar(one) || !isScalar(other)) return undefined;
	return one === other;
}

/** A text, a number, true, false or null. */
export function isScalar(value: unknown): boolean {
	return value === null || (typeof value !== "object" && value !== undefined);
}

/** The ways in which two values are compared. */
export type Comparison = "<" | "<=" | ">" | ">=";

/** Compares two numbers, two texts or two times. */
export function compare(by: Comparison, one: unknown, other: unknown): boolean | undefined {
	if (typeof one === "number" && typeof other === "number") return ordered(by, one, other);
	if (typeof one === "string" && typeof other === "string") return ordered(by, one, other);
	if (!(one instanceof Date && other instanceof Date)) return undefined;
	return ordered(by, one.getTime(), other.getTime());
}

function ordered<Value extends number | string>(by: Comparison, one: Value, other: Value): boolean {
	switch (by) {
		case "<":
			return one < other;
		case "<=":
			return one <= other;
		case ">":
			return one > other;
		case ">=":
			return one >= other;
	}
}

/** Whether a text or a number is in a list of its like, or a text is a name in a map. */
export function isIn(value: unknown, of: unknown): boolean | undefined {
	const type = typeof value;
	if (type !== "string" && type !== "number") return undefined;
	if (Array.isArray(of)) {
		// The first item says what the list is one of.
		return of.length === 0 || typeof of[0] === type ? of.includes(value) : undefined;
	}
	if (type !== "string" || typeof of !== "object" || of === null) return undefined;
	if (of.constructor !== Object || !isPlainDeep(of)) return undefined;
	return Object.hasOwn(of, value as string);
}

/** How many characters a text has, items a list, or members a map. */
export function sizeOf(value: unknown): number | undefined {
	if (typeof value === "string") return pointsOf(value);
	if (typeof value !== "object" || value === null || !isPlainDeep(value)) return undefined;
	return Array.isArray(value) ? value.length : Object.keys(value).length;
}

/** Compares a size with a number; a long text need not be counted for that. */
export function compareSize(by: Comparison, of: unknown, to: number): boolean | undefined {
	if (typeof of === "string") {
		// A character takes one unit or two.
		const at_most = ordered(by, of.length, to);
		if (at_most === ordered(by, Math.ceil(of.length / 2), to)) return at_most;
	}
	const size = sizeOf(of);
	return size === undefined ? undefined : ordered(by, size, to);
}

function pointsOf(text: string): number {
	let points = text.length;
	for (let at = 0; at + 1 < text.length; at++) {
		if ((text.charCodeAt(at) & 0xfc00) !== 0xd800) continue;
		if ((text.charCodeAt(at + 1) & 0xfc00) !== 0xdc00) continue;
		points -= 1;
		at += 1;
	}
	return points;
}
