/** The process environment, read in one place only and handed to whoever needs it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A snapshot of the environment this process was started with. */
export function processEnvironment(): Environment {
	return { ...process.env };
}
