/**
 * Microsoft Teams: TEAMS_WORKFLOW_URL is the address of a workflow that posts what it is sent to a
 * channel, and TEAMS_SECURITY_TOKEN that of an outgoing webhook of the team, which leads to /teams.
 * Cards of a workflow have no buttons that tell anybody; people decide with a line that they send
 * to the outgoing webhook by its name.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { argumentsOf, linesOf, outcomeOf, post } from "./words.mjs";

const { TEAMS_WORKFLOW_URL = "", TEAMS_SECURITY_TOKEN = "" } = process.env;
const name = process.env.TEAMS_NAME ?? "Moorage";
const arguments_chars_max = 4_000;
const apart_ms_max = 5 * 60_000;
if (TEAMS_SECURITY_TOKEN === "") throw new Error("Set TEAMS_SECURITY_TOKEN.");

/** Where Teams posts what people send to the outgoing webhook. */
export const path = "/teams";

/** Runs of text are not read as markup, as other texts of cards are. */
const text = (words, more) => ({
	type: "RichTextBlock",
	inlines: [{ type: "TextRun", text: words, ...more }],
});

export async function tell(news) {
	const { type, data } = news;
	const is_asked = type === "approval.pending";
	const json = is_asked ? argumentsOf(data, arguments_chars_max) : undefined;
	const line = (verdict) => `@${name} ${verdict} ${data.approval} ${data.arguments_hash}`;
	const shown =
		json === undefined
			? [text("The arguments are on the page.")]
			: [
					text(json, { fontType: "Monospace" }),
					text("To decide, send one of these lines, and a reason behind it if you like:"),
					...["approve", "deny"].map((verdict) => text(line(verdict), { fontType: "Monospace" })),
				];
	const content = {
		$schema: "http://adaptivecards.io/schemas/adaptive-card.json",
		type: "AdaptiveCard",
		version: "1.4",
		body: is_asked ? [...linesOf(data).map((one) => text(one)), ...shown] : [text(outcomeOf(news))],
		actions: [{ type: "Action.OpenUrl", title: "Open the page", url: data.links.page }],
	};
	const contentType = "application/vnd.microsoft.card.adaptive";
	await post(TEAMS_WORKFLOW_URL, {}, { type: "message", attachments: [{ contentType, content }] });
}

/** Whether a line is from Teams. */
function isSigned(headers, body) {
	const mac = createHmac("sha256", Buffer.from(TEAMS_SECURITY_TOKEN, "base64")).update(body);
	const expected = Buffer.from(`HMAC ${mac.digest("base64")}`);
	const given = Buffer.from(String(headers.authorization));
	return given.length === expected.length && timingSafeEqual(given, expected);
}

const said = (text) => ({ status: 200, json: { type: "message", text } });

export async function answer(headers, body, decide) {
	if (!isSigned(headers, body)) return { status: 401 };
	const { text: html, from, timestamp } = JSON.parse(body);
	// Its time is part of what is signed: an old line that somebody has kept is not taken.
	if (!(Math.abs(Date.now() - Date.parse(timestamp)) <= apart_ms_max)) return { status: 401 };
	const words = html
		.replace(/<at>.*?<\/at>|<[^>]*>|&nbsp;/g, " ")
		.trim()
		.split(/\s+/);
	const [verdict, approval, arguments_hash, ...reason] = words;
	if (!["approve", "deny"].includes(verdict) || arguments_hash === undefined) {
		return said("Send a line as it stands under the call: approve or deny, and its two words.");
	}
	const given = reason.length === 0 ? undefined : reason.join(" ");
	const user = from.aadObjectId;
	const decided = await decide({ user, verdict, approval, arguments_hash, reason: given });
	return said(decided.text);
}
