import { readJsonText } from "../../wire/object.ts";
import type { ClientSide } from "../call.ts";

/** First legacy revision in which a client may be sent to a page (2025-11-25, elicitation). */
const url_revision = "2025-11-25";

/** How a caller's client can be asked. */
export type AskMode = "url" | "form";

/** The ways in which a client says that it can be asked. */
export function askModes({ capabilities, era, revision }: ClientSide): ReadonlySet<AskMode> {
	const parsed = readJsonText(capabilities) as { elicitation?: unknown } | undefined;
	const elicitation = parsed?.elicitation;
	const modes = new Set<AskMode>();
	if (typeof elicitation !== "object" || elicitation === null) return modes;
	const named = elicitation as { url?: unknown; form?: unknown };
	const can_url = era === "modern" || revision >= url_revision;
	if (can_url && typeof named.url === "object" && named.url !== null) modes.add("url");
	// An empty object means forms: they were all there was (2025-06-18).
	if (named.form !== undefined || named.url === undefined) modes.add("form");
	return modes;
}
