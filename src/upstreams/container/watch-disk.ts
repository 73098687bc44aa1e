/** A folder that a container fills, and what it may hold. */
export interface WatchedFolder {
	readonly folder: string;
	readonly bytes_max: number;
	/** Whether what cannot be counted counts as too much. */
	readonly required: boolean;
	/** Paused, it can write nothing, and is left alone. */
	asleep(): boolean;
	/** Ends the container; the reason goes on after its name. */
	end(reason: string): void;
	/** Takes what people should know of how the limit holds. */
	note(text: string): void;
}

/**
 * Looks after a folder that is bound into a container: an engine does not bound it. The returned
 * function ends that.
 */
export type WatchDisk = (watched: WatchedFolder) => () => void;
