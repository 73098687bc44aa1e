/**
 * Discord: DISCORD_TOKEN is the bot's token, DISCORD_PUBLIC_KEY the application's, in hex, and
 * DISCORD_CHANNEL the channel's id. The interactions endpoint is /discord/interactions.
 */
import { createPublicKey, verify } from "node:crypto";
import { argumentsOf, linesOf, outcomeOf, post } from "./words.mjs";

const { DISCORD_TOKEN = "", DISCORD_PUBLIC_KEY = "", DISCORD_CHANNEL = "" } = process.env;
const api = process.env.DISCORD_API ?? "https://discord.com/api/v10";
/** A message has 2,000 characters. */
const arguments_chars_max = 1_200;
const apart_s_max = 300;
/** What stands before the 32 bytes of a public key of Ed25519 (RFC 8410). */
const prefix = Buffer.from("302a300506032b6570032100", "hex");
const public_key = createPublicKey({
	key: Buffer.concat([prefix, Buffer.from(DISCORD_PUBLIC_KEY, "hex")]),
	format: "der",
	type: "spki",
});

const row = 1;
const [button, green, red, link] = [2, 3, 4, 5];
const ping = 1;
const clicked = 3;
const [pong, new_message, new_content] = [1, 4, 7];
const seen_by_one = 64;
/** Nobody is called, whatever stands in the text. */
const allowed_mentions = { parse: [] };

/** Where Discord posts what people click. */
export const path = "/discord/interactions";

/** In a block of code nothing is markup; what could end it is not in these texts. */
const block = (text) => `\`\`\`\n${text}\n\`\`\``;

export async function tell(news) {
	const { type, data } = news;
	const url = `${api}/channels/${DISCORD_CHANNEL}/messages`;
	const headers = { authorization: `Bot ${DISCORD_TOKEN}` };
	if (type !== "approval.pending") {
		return post(url, headers, { content: block(outcomeOf(news)), allowed_mentions });
	}
	const json = argumentsOf(data, arguments_chars_max);
	const { approval, arguments_hash, links } = data;
	const choice = (label, style, verdict) => {
		const custom_id = `${verdict} ${approval} ${arguments_hash}`;
		return { type: button, style, label, custom_id };
	};
	const decide = [choice("Approve", green, "approve"), choice("Deny", red, "deny")];
	const page = { type: button, style: link, label: "Open the page", url: links.page };
	const shown = json ?? "The arguments are on the page.";
	await post(url, headers, {
		content: block([...linesOf(data), "", shown].join("\n")),
		components: [{ type: row, components: json === undefined ? [page] : [...decide, page] }],
		allowed_mentions,
	});
}

/** Whether a click is from Discord, and from now. */
function isSigned(headers, body) {
	const timestamp = String(headers["x-signature-timestamp"]);
	if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= apart_s_max)) return false;
	const signature = Buffer.from(String(headers["x-signature-ed25519"]), "hex");
	return verify(null, Buffer.concat([Buffer.from(timestamp), body]), public_key, signature);
}

export async function answer(headers, body, decide) {
	if (!isSigned(headers, body)) return { status: 401 };
	const { type, member, user = member?.user, data } = JSON.parse(body);
	if (type === ping) return { status: 200, json: { type: pong } };
	if (type !== clicked) return { status: 400 };
	const [verdict, approval, arguments_hash] = data.custom_id.split(" ");
	const { is_over, text } = await decide({ user: user.id, verdict, approval, arguments_hash });
	const said = { content: block(text), allowed_mentions };
	const json = is_over
		? { type: new_content, data: { ...said, components: [] } }
		: { type: new_message, data: { ...said, flags: seen_by_one } };
	return { status: 200, json };
}
