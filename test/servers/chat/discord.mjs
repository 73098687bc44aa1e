// Discord as far as a bot that posts and takes clicks sees it (Create Message; interactions of
// components, which are answered in the same request).
import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

const token = randomBytes(16).toString("hex");
const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const public_key = publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("hex");
export const secrets = { token, public_key };
const channel_id = "290926798999357250";
const [ping, clicked] = [1, 3];
const [new_message, new_content] = [4, 7];

function hold({ content, components = [], allowed_mentions }) {
	assert.ok(content.length <= 2_000);
	assert.deepEqual(allowed_mentions, { parse: [] });
	assert.ok(components.length <= 5);
	for (const { type, components: buttons } of components) {
		assert.ok(type === 1 && buttons.length <= 5);
		for (const one of buttons) {
			assert.ok(one.type === 2 && one.label.length <= 80);
			assert.equal(one.style === 5, one.custom_id === undefined);
			assert.ok(one.style === 5 ? one.url.length <= 512 : one.custom_id.length <= 100);
		}
	}
}

export function take(channel, { url, headers }, body) {
	if (headers.authorization !== `Bot ${token}`) {
		return { status: 401, json: { message: "401: Unauthorized", code: 0 } };
	}
	assert.equal(url, `/channels/${channel_id}/messages`);
	hold(body);
	const { content: text, components = [] } = body;
	const id = String(channel.length + 1);
	channel.push({ id, text, buttons: components.flatMap((row) => row.components) });
	return { status: 200, json: { id, channel_id } };
}

async function interact(at, interaction, { key = privateKey, ago_s = 0 } = {}) {
	const body = JSON.stringify({ id: "1", application_id: "2", version: 1, ...interaction });
	const timestamp = String(Math.floor(Date.now() / 1000) - ago_s);
	const headers = {
		"content-type": "application/json",
		"x-signature-timestamp": timestamp,
		"x-signature-ed25519": sign(null, Buffer.from(timestamp + body), key).toString("hex"),
	};
	const answer = await fetch(`${at}/discord/interactions`, { method: "POST", headers, body });
	return { status: answer.status, json: answer.ok ? await answer.json() : undefined };
}

export async function act(channel, { at, user, button, ago_s, forged = false }) {
	// Discord asks this when the address is entered, and wants wrong signatures to be refused.
	const pong = await interact(at, { type: ping });
	assert.deepEqual(pong, { status: 200, json: { type: 1 } });
	const message = channel.findLast(({ buttons }) => buttons.length > 0);
	const { custom_id } = message.buttons.find(({ label }) => label === button);
	const key = forged ? generateKeyPairSync("ed25519").privateKey : privateKey;
	const data = { component_type: 2, custom_id };
	const interaction = {
		type: clicked,
		token: "t",
		channel_id,
		member: { user: { id: user } },
		data,
	};
	const { status, json } = await interact(at, interaction, { key, ago_s });
	if (status !== 200) return { status };
	hold(json.data);
	if (json.type === new_content) {
		message.text = json.data.content;
		message.buttons = json.data.components;
	} else {
		assert.deepEqual([json.type, json.data.flags], [new_message, 64]);
		channel.push({ id: "", text: json.data.content, buttons: [], only: user });
	}
	return { status };
}
