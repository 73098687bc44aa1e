import { timingSafeEqual } from "node:crypto";

/** Whether two texts are the same; how long it takes tells nothing but whether both are as long. */
export function isSameText(one: string, other: string): boolean {
	const [left, right] = [Buffer.from(one), Buffer.from(other)];
	return left.length === right.length && timingSafeEqual(left, right);
}
