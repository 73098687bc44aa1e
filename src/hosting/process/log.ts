/** The part of the log that process handling writes to. */
export interface SpawnerLog {
	info(fields: object, message: string): void;
	warn(fields: object, message: string): void;
}
