/** The lists to which a tool of the fixture has added something. */
const changed = new Set();

/** Whether the thing that comes and goes is on the list of this kind now. */
export const isThere = (kind) => changed.has(kind);

/** Puts it on the list, or takes it off. */
export function toggle(kind) {
	if (!changed.delete(kind)) changed.add(kind);
}
