// Microsoft Teams as far as workflows that post cards, and outgoing webhooks, see it.
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";

const security_token = randomBytes(32).toString("base64");
export const secrets = { security_token };

export function take(channel, _request, { type, attachments: [{ contentType, content }] }) {
	assert.deepEqual(
		[type, contentType, content.type],
		["message", "application/vnd.microsoft.card.adaptive", "AdaptiveCard"],
	);
	const lines = content.body.map(({ type: block, inlines: [{ type: run, text }] }) => {
		assert.deepEqual([block, run], ["RichTextBlock", "TextRun"]);
		return text;
	});
	for (const action of content.actions) assert.equal(action.type, "Action.OpenUrl");
	channel.push({ id: String(channel.length), text: lines.join("\n"), buttons: content.actions });
	return { status: 202, json: {} };
}

/** Somebody sends a line of the last card, or `text`, as Teams passes it on. */
export async function act(channel, { at, user, button, text, ago_s = 0, forged = false }) {
	const card = channel.findLast(({ text: shown }) => shown.includes("To decide"));
	const line = text ?? card.text.split("\n").find((one) => one.startsWith(`@Moorage ${button}`));
	const html = line.replace("@Moorage ", "<p><at>Moorage</at>&nbsp;");
	const body = JSON.stringify({
		type: "message",
		id: "1485983408511",
		timestamp: new Date(Date.now() - ago_s * 1000).toISOString(),
		from: { id: "29:1XJKJMvc5GBtc2JwZq0oj8tHZmzrQgFmB39ATiQWA85gQ", name: "A", aadObjectId: user },
		text: `${html}</p>\n`,
	});
	const key = forged ? randomBytes(32) : Buffer.from(security_token, "base64");
	const authorization = `HMAC ${createHmac("sha256", key).update(body).digest("base64")}`;
	const headers = { "content-type": "application/json", authorization };
	const answer = await fetch(`${at}/teams`, { method: "POST", headers, body });
	if (!answer.ok) return { status: answer.status };
	const reply = await answer.json();
	assert.equal(reply.type, "message");
	channel.push({ id: "", text: reply.text, buttons: [] });
	return { status: answer.status };
}
