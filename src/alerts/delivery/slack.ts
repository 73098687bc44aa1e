import type { Clock } from "../../lib/clock.ts";
import { type Channel, textOf, titleOf } from "./notice.ts";
import { postJson } from "./post.ts";

/** Posts to an incoming webhook of Slack, or of what takes the same form. */
export function slackChannel(plan: { url: string }, clock: Clock): Channel {
	return async (notice) => {
		const text = `*${escapeMarkup(titleOf(notice))}*\n${escapeMarkup(textOf(notice))}`;
		return await postJson(plan.url, JSON.stringify({ text }), {}, clock);
	};
}

/** Names of callers stand in alerts: they must not mention a channel or forge a link. */
function escapeMarkup(text: string): string {
	return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
