/** Which flags a launcher has. Names are written without dashes. */
export interface FlagTable {
	/** Flags without a value. */
	readonly switches: ReadonlySet<string>;
	/** Flags that take a value: `--name value`, `--name=value`, `-nvalue`. */
	readonly valued: ReadonlySet<string>;
}

/** One flag as it was used. */
export interface Flag {
	readonly name: string;
	/** Undefined for a switch. */
	readonly value: string | undefined;
}

/** Flags in front, and what follows them. */
export interface ScannedFlags {
	readonly flags: readonly Flag[];
	readonly rest: readonly string[];
}

/**
 * Reads the flags before the first word that is none, or before `--`, which is dropped.
 * Undefined when one of them is not in the table: whether it takes a value cannot be guessed.
 */
export function scanFlags(args: readonly string[], table: FlagTable): ScannedFlags | undefined {
	const flags: Flag[] = [];
	for (let at = 0; at < args.length; at += 1) {
		const arg = args[at] ?? "";
		if (arg === "--") {
			return { flags, rest: args.slice(at + 1) };
		}
		if (!arg.startsWith("-") || arg === "-") {
			return { flags, rest: args.slice(at) };
		}
		const flag = splitFlag(arg, table);
		if (flag === undefined) {
			return undefined;
		}
		if (flag.value !== undefined || table.switches.has(flag.name)) {
			flags.push(flag);
			continue;
		}
		at += 1;
		const value = args[at];
		if (value === undefined) {
			return undefined;
		}
		flags.push({ name: flag.name, value });
	}
	return { flags, rest: [] };
}

function splitFlag(arg: string, table: FlagTable): Flag | undefined {
	const bare = arg.replace(/^--?/u, "");
	if (table.switches.has(bare) || table.valued.has(bare)) {
		return { name: bare, value: undefined };
	}
	const equals = bare.indexOf("=");
	if (equals > 0) {
		const name = bare.slice(0, equals);
		return table.valued.has(name) ? { name, value: bare.slice(equals + 1) } : undefined;
	}
	// -p3.12: one letter with its value attached.
	const letter = bare.slice(0, 1);
	const attached = !arg.startsWith("--") && table.valued.has(letter);
	return attached ? { name: letter, value: bare.slice(1) } : undefined;
}

/** Values of the flags that go by any of these names, in order. */
export function valuesOf(flags: readonly Flag[], ...names: readonly string[]): string[] {
	return flags.flatMap(({ name, value }) =>
		names.includes(name) && value !== undefined ? [value] : [],
	);
}

/** True when a flag that goes by any of these names was used. */
export function hasFlag(flags: readonly Flag[], ...names: readonly string[]): boolean {
	return flags.some(({ name }) => names.includes(name));
}
