/** The parts of a semantic version that decide whether a step breaks anything. */
export interface SemanticVersion {
	readonly major: number;
	readonly minor: number;
	readonly patch: number;
}

const form = /^v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:[-+].*)?$/;

/** Reads a semantic version; undefined when the text is none. */
export function parseSemantic(text: string): SemanticVersion | undefined {
	const [, major, minor, patch] = form.exec(text.trim()) ?? [];
	if (major === undefined) return undefined;
	return { major: Number(major), minor: Number(minor), patch: Number(patch) };
}

/**
 * What to warn of when a server says another version than before, or than it is expected to be:
 * sentences. Before 1.0.0 every minor step may break (Semantic Versioning 2.0.0, item 4).
 */
export function versionWarnings(said: {
	readonly before: string | undefined;
	readonly after: string | undefined;
	readonly declared: string | undefined;
}): string[] {
	const { before, after, declared } = said;
	const warnings: string[] = [];
	if (declared !== undefined && after !== declared) {
		const found = after === undefined ? "no version" : `version ${after}`;
		warnings.push(`It is expected to be version ${declared} and says ${found}.`);
	}
	const [old, next] = [parseSemantic(before ?? ""), parseSemantic(after ?? "")];
	if (old !== undefined && next !== undefined && isMajorStep(old, next)) {
		warnings.push(`This is a major step, from version ${before} to ${after}.`);
	}
	return warnings;
}

function isMajorStep(before: SemanticVersion, after: SemanticVersion): boolean {
	if (before.major !== after.major) return true;
	return before.major === 0 && before.minor !== after.minor;
}
