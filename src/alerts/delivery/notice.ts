import type { Alert, News } from "../state.ts";

/** What a channel tells people of an alert. */
export interface Notice {
	/** The same however often it is tried: receivers can tell a repetition by it. */
	readonly id: string;
	readonly news: News | "test";
	readonly rule: string;
	readonly subject: string;
	readonly severity: Alert["severity"];
	readonly summary: string;
	readonly value: number;
	readonly threshold: number;
	readonly since_ms: number;
	readonly at_ms: number;
	readonly alert_id: string;
	/** Where to look, and what to type. */
	readonly next: string;
}

/** Tells people; resolves with why it did not work, undefined where it did. Never rejects. */
export type Channel = (notice: Notice) => Promise<string | undefined>;

const marks = { firing: "FIRING", resolved: "RESOLVED", test: "TEST" } as const;

/** One line: `[FIRING] warning unknown_tool mcp`. */
export function titleOf({ news, severity, rule, subject }: Notice): string {
	return `[${marks[news]}] ${severity} ${rule} ${subject}`.replaceAll(/\s+/g, " ");
}

/** A few lines for people. */
export function textOf(notice: Notice): string {
	const since = new Date(notice.since_ms).toISOString();
	return `${notice.summary}\n\nSince ${since}. Alert ${notice.alert_id}.\n${notice.next}`;
}
