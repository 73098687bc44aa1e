/**
 * Whether a regular expression from someone who is not trusted can be run here. V8 backtracks, so
 * some expressions take a time that grows exponentially with the text. This looks at how an
 * expression is built, refuses what may do that, and says how long a text the others may be
 * given.
 */

/** Characters of an expression that is looked at. */
const source_chars_max = 1_000;
/** Groups within groups. */
const depth_max = 16;
/** Steps that matching one text may take, some tens of milliseconds. */
const steps_max = 1e7;
/** Repetitions up to this many count as so many copies, not as a loop. */
const copies_max = 16;

/** An expression that may be run on texts of a certain length. */
export interface SafePattern {
	readonly regexp: RegExp;
	/** Longer texts are not to be matched: the time for them is not bounded well enough. */
	readonly text_chars_max: number;
}

/** The expression, where it can be run safely; undefined where nobody can tell. */
export function safePattern(source: string): SafePattern | undefined {
	if (source.length > source_chars_max) return undefined;
	const loops = countLoops(source);
	if (loops === undefined) return undefined;
	let regexp: RegExp;
	try {
		regexp = new RegExp(source, "u");
	} catch {
		return undefined;
	}
	// Without an anchor the search starts anew at every character.
	const degree = loops + (source.startsWith("^") && !source.includes("|") ? 0 : 1);
	const text_chars_max = degree === 0 ? steps_max : Math.floor(steps_max ** (1 / degree));
	return { regexp, text_chars_max };
}

interface Group {
	/** Loops inside of it, which may not be looped once more. */
	loops: number;
	/** More than one way through it. */
	has_choice: boolean;
}

/**
 * How many unbounded repetitions an expression has; undefined where one holds another or a
 * choice, or where it looks around or back.
 */
function countLoops(source: string): number | undefined {
	const open: Group[] = [{ loops: 0, has_choice: false }];
	/** What a repetition would repeat: a plain piece, or a group. */
	let last: Group | undefined;
	for (let at = 0; at < source.length; at++) {
		const group = open.at(-1) as Group;
		const char = source[at];
		if (char === "\\") {
			// References back to a group can match in exponentially many ways.
			if (/[1-9k]/.test(source[at + 1] ?? "")) return undefined;
			at += 1;
			last = undefined;
		} else if (char === "[") {
			at = classEnd(source, at);
			last = undefined;
		} else if (char === "(") {
			const kind = /^\(\?(.{1,2})/.exec(source.slice(at, at + 4))?.[1];
			if (kind !== undefined && !kind.startsWith(":") && !/^<[^=!]/.test(kind)) return undefined;
			open.push({ loops: 0, has_choice: false });
			if (open.length > depth_max) return undefined;
			if (kind !== undefined) at = kind.startsWith(":") ? at + 2 : source.indexOf(">", at);
			if (at < 0) return undefined;
		} else if (char === ")") {
			last = open.pop();
			const outer = open.at(-1);
			if (last === undefined || outer === undefined) return undefined;
			outer.loops += last.loops;
			outer.has_choice ||= last.has_choice;
		} else if (char === "|") {
			group.has_choice = true;
			last = undefined;
		} else {
			const repeats = repetitionAt(source, at);
			if (repeats === undefined) {
				last = undefined;
				continue;
			}
			at = repeats.end;
			if (repeats.kind === "once") continue;
			// A repeated piece that itself can be matched in more than one way explodes.
			if (last !== undefined && (last.loops > 0 || last.has_choice)) return undefined;
			if (repeats.kind === "loop") group.loops += 1;
		}
	}
	return open.length === 1 ? (open[0] as Group).loops : undefined;
}

/** The last character of the class that begins here. */
function classEnd(source: string, start: number): number {
	for (let at = start + 1; at < source.length; at++) {
		if (source[at] === "\\") at += 1;
		else if (source[at] === "]") return at;
	}
	return source.length;
}

/** `once`: at most one time, or a fixed number of times. */
interface Repetition {
	readonly kind: "once" | "copies" | "loop";
	/** Its last character. */
	readonly end: number;
}

function repetitionAt(source: string, at: number): Repetition | undefined {
	const char = source[at];
	const lazy = (end: number) => (source[end + 1] === "?" ? end + 1 : end);
	if (char === "?") return { kind: "once", end: lazy(at) };
	if (char === "*" || char === "+") return { kind: "loop", end: lazy(at) };
	const braces = char === "{" ? /^\{(\d+)(,(\d*))?\}/.exec(source.slice(at, at + 32)) : null;
	if (braces === null) return undefined;
	const end = lazy(at + braces[0].length - 1);
	const [, least = "0", range, most = ""] = braces;
	if (range === undefined) return { kind: Number(least) > 1 ? "copies" : "once", end };
	if (most === "" || Number(most) > copies_max) return { kind: "loop", end };
	return { kind: Number(most) > 1 ? "copies" : "once", end };
}
