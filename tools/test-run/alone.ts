/**
 * A test file says with such a line that it cannot share a process with others, and why: it
 * measures its process's memory, or changes what all of a process share.
 */
const marker = /^\/\/ In a process of its own: (.+)$/m;

/** Why a test file with that text runs in a process of its own, or undefined when it need not. */
export function reasonToRunAlone(text: string): string | undefined {
	return marker.exec(text)?.[1];
}
