import type { CallLine } from "../telemetry/call-line.ts";

/** Which calls are asked for. What is absent does not narrow. */
export interface CallQuery {
	/** Wall-clock milliseconds: ended at or after, before. */
	readonly since_ms?: number | undefined;
	readonly until_ms?: number | undefined;
	readonly tenant?: string | undefined;
	readonly user?: string | undefined;
	readonly client?: string | undefined;
	readonly server?: string | undefined;
	/** Tool or prompt name, or uri. */
	readonly name?: string | undefined;
	readonly method?: string | undefined;
	readonly endpoint?: string | undefined;
	readonly session?: string | undefined;
	readonly trace?: string | undefined;
	readonly decision?: string | undefined;
	/** One status, or `error` for all but `ok`. */
	readonly status?: CallLine["status"] | "error" | undefined;
	readonly code?: string | undefined;
	/** Words that stand in the error, its code or the tool's name. */
	readonly text?: string | undefined;
	/** Only those older than the page before: its `next`. */
	readonly before?: number | undefined;
	readonly limit: number;
}

/** Some calls, the latest first. */
export interface CallPage {
	readonly calls: readonly CallLine[];
	/** Where the next page begins; undefined behind the last. */
	readonly next: number | undefined;
	/**
	 * False where looking ended because it took too long, before the page was full: `next` goes on
	 * from there.
	 */
	readonly complete: boolean;
}

/** Words of a search as FTS5 takes them: all of them, each the beginning of a word. */
export function searchTerms(text: string): string {
	const words = text.match(/[\p{L}\p{N}]+/gu) ?? [];
	return words.map((word) => `"${word}"*`).join(" ");
}
