// Slack as far as a bot that posts and takes clicks sees it (chat.postMessage, chat.update,
// chat.postEphemeral; block_actions).
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";

const token = `xoxb-${randomBytes(12).toString("hex")}`;
const signing_secret = randomBytes(16).toString("hex");
export const secrets = { token, signing_secret };
const channel_id = "C123ABC456";

const textOf = ({ elements }) =>
	elements.flatMap((one) => one.elements ?? one).map((one) => one.text);

function hold({ type, elements }) {
	assert.ok(["rich_text", "actions"].includes(type), type);
	if (type !== "actions") return;
	assert.ok(elements.length <= 25);
	for (const { text, action_id, value, url } of elements) {
		assert.equal(text.type, "plain_text");
		assert.ok(text.text.length <= 75 && action_id.length <= 255);
		assert.ok(value === undefined || value.length <= 2_000);
		assert.ok(url === undefined || url.length <= 3_000);
	}
}

const methods = {
	"chat.postMessage"(channel, { text, blocks = [] }) {
		assert.ok(blocks.length <= 50);
		for (const block of blocks) hold(block);
		const ts = `${1_700_000_000 + channel.length}.000100`;
		const shown = blocks.filter(({ type }) => type === "rich_text").flatMap(textOf);
		const buttons = blocks.filter(({ type }) => type === "actions").flatMap((one) => one.elements);
		channel.push({ id: ts, text: shown.length === 0 ? text : shown.join("\n"), buttons });
		return { ts };
	},
	"chat.update"(channel, { ts, text, blocks }) {
		const message = channel.find(({ id }) => id === ts);
		assert.ok(message !== undefined && blocks.length === 0);
		message.text = text;
		message.buttons = [];
		return { ts };
	},
	"chat.postEphemeral"(channel, { user, text }) {
		channel.push({ id: "", text, buttons: [], only: user });
		return { message_ts: "" };
	},
};

export function take(channel, { url, headers }, body) {
	if (headers.authorization !== `Bearer ${token}`) {
		return { status: 200, json: { ok: false, error: "invalid_auth" } };
	}
	if (body.channel !== channel_id) {
		return { status: 200, json: { ok: false, error: "channel_not_found" } };
	}
	return { status: 200, json: { ok: true, ...methods[url.slice(1)](channel, body) } };
}

export async function act(channel, { at, user, button, secret = signing_secret, ago_s = 0 }) {
	const message = channel.findLast(({ buttons }) => buttons.length > 0);
	const { action_id, value } = message.buttons.find(({ text }) => text.text === button);
	const payload = JSON.stringify({
		type: "block_actions",
		user: { id: user, username: "somebody", team_id: "T1" },
		container: { type: "message", message_ts: message.id, channel_id, is_ephemeral: false },
		channel: { id: channel_id, name: "payments" },
		actions: [{ type: "button", action_id, block_id: "b", value, action_ts: "1700000001.000001" }],
	});
	const body = new URLSearchParams({ payload }).toString();
	const timestamp = String(Math.floor(Date.now() / 1000) - ago_s);
	const mac = createHmac("sha256", secret).update(`v0:${timestamp}:${body}`).digest("hex");
	const headers = {
		"content-type": "application/x-www-form-urlencoded",
		"x-slack-request-timestamp": timestamp,
		"x-slack-signature": `v0=${mac}`,
	};
	const { status } = await fetch(`${at}/slack/actions`, { method: "POST", headers, body });
	return { status };
}
