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

/** Accents that are characters of their own and stand in no word as FTS5 keeps it. */
const accents =
	/[\u0300-\u0304\u0306-\u030c\u030f\u0311\u031b\u0323-\u0328\u032d\u032e\u0330\u0331]/gu;
/** Letters that are none yet in the Unicode of FTS5: there they divide words. */
const later_letters = /[\u19b0-\u19c0\u19c8\u19c9\u1cf2\u1cf3]/gu;

/**
 * Words of a search, each the beginning of a word. Each has to be one word of FTS5 too, since its
 * index says of words where they are, but not next to which others.
 */
export function searchWords(text: string): string[] {
	const plain = text.normalize("NFC").replaceAll(accents, "").replaceAll(later_letters, " ");
	return plain.match(/[\p{L}\p{N}]+/gu) ?? [];
}
