/**
 * Slack: SLACK_TOKEN is the bot's token (scope `chat:write`), SLACK_SIGNING_SECRET the app's, and
 * SLACK_CHANNEL the channel's id. The app's interactivity leads to /slack/actions.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { argumentsOf, linesOf, outcomeOf, post } from "./words.mjs";

const { SLACK_TOKEN = "", SLACK_SIGNING_SECRET = "", SLACK_CHANNEL = "" } = process.env;
const api = process.env.SLACK_API ?? "https://slack.com/api";
const apart_s_max = 300;
const arguments_chars_max = 2_500;
if (SLACK_SIGNING_SECRET === "") throw new Error("Set SLACK_SIGNING_SECRET.");

/** Where Slack posts what people click. */
export const path = "/slack/actions";

/** Slack answers with 200 also where it did not do it. */
async function ask(method, body) {
	const answer = await post(`${api}/${method}`, { authorization: `Bearer ${SLACK_TOKEN}` }, body);
	const { ok, error } = JSON.parse(answer);
	if (!ok) throw new Error(`Slack refused ${method}: ${error}`);
}

const words = (text) => ({ type: "text", text });
const button = (text, more) => ({ type: "button", text: { type: "plain_text", text }, ...more });

export async function tell(news) {
	const { type, data } = news;
	const text = type === "approval.pending" ? linesOf(data).join("\n") : outcomeOf(news);
	if (type !== "approval.pending") return ask("chat.postMessage", { channel: SLACK_CHANNEL, text });
	const json = argumentsOf(data, arguments_chars_max);
	// In rich text nothing is read as markup, whoever wrote it.
	const shown =
		json === undefined
			? { type: "rich_text_section", elements: [words("The arguments are on the page.")] }
			: { type: "rich_text_preformatted", elements: [words(json)] };
	const { approval, arguments_hash, links } = data;
	const value = JSON.stringify({ approval, arguments_hash });
	const decide = [
		button("Approve", { action_id: "approve", style: "primary", value }),
		button("Deny", { action_id: "deny", style: "danger", value }),
	];
	const page = button("Open the page", { action_id: "page", url: links.page });
	const told = { type: "rich_text_section", elements: [words(text)] };
	return ask("chat.postMessage", {
		channel: SLACK_CHANNEL,
		text: `A call waits for approval: ${approval}`,
		blocks: [
			{ type: "rich_text", elements: [told, shown] },
			{ type: "actions", elements: json === undefined ? [page] : [...decide, page] },
		],
	});
}

/** Whether a click is from Slack, and from now. */
function isSigned(headers, body) {
	const timestamp = headers["x-slack-request-timestamp"];
	if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= apart_s_max)) return false;
	const mac = createHmac("sha256", SLACK_SIGNING_SECRET).update(`v0:${timestamp}:`).update(body);
	const expected = Buffer.from(`v0=${mac.digest("hex")}`);
	const given = Buffer.from(String(headers["x-slack-signature"]));
	return given.length === expected.length && timingSafeEqual(given, expected);
}

export async function answer(headers, body, decide) {
	if (!isSigned(headers, body)) return { status: 401 };
	const { user, actions, container } = JSON.parse(new URLSearchParams(String(body)).get("payload"));
	const [{ action_id, value }] = actions;
	// A link is opened by Slack itself, and told of all the same.
	if (action_id !== "approve" && action_id !== "deny") return { status: 200 };
	const { channel_id: channel, message_ts: ts } = container;
	void decide({ user: user.id, verdict: action_id, ...JSON.parse(value) })
		.then(({ is_over, text }) =>
			is_over
				? ask("chat.update", { channel, ts, text, blocks: [] })
				: ask("chat.postEphemeral", { channel, user: user.id, text }),
		)
		.catch((error) => console.error(error.message));
	return { status: 200 };
}
