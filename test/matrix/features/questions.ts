import assert from "node:assert/strict";
import type { Feature } from "../cell.ts";
import type { Json, Peer } from "../peer.ts";

async function told(peer: Peer, tool: string): Promise<Json> {
	const { content, isError } = await peer.call(tool);
	assert.notEqual(isError, true, JSON.stringify(content));
	return JSON.parse(content[0].text);
}

export const elicitation_form: Feature = {
	name: "elicitation form",
	async run({ peer }) {
		const { form } = await told(peer, "ask_form");
		assert.equal(form.action, "accept");
		assert.deepEqual(form.content, { name: "name for Your name?" });
	},
};

export const elicitation_url: Feature = {
	name: "elicitation URL",
	async run({ peer }) {
		const { url } = await told(peer, "ask_url");
		assert.equal(url.action, "accept");
	},
};

export const sampling: Feature = {
	name: "sampling",
	async run({ peer }) {
		const { model } = await told(peer, "ask_model");
		assert.deepEqual(model.content, { type: "text", text: "model: Say hello." });
	},
};

export const sampling_with_tools: Feature = {
	name: "sampling with tools",
	async run({ peer }) {
		const { model } = await told(peer, "ask_model_with_tools");
		assert.equal(model.stopReason, "toolUse");
		assert.equal(model.content[0].name, "weather");
	},
};

export const roots: Feature = {
	name: "roots",
	async run({ peer }) {
		const answer = await told(peer, "ask_roots");
		assert.equal(answer.roots.roots[0].uri, "file:///work");
	},
};

/** One question, then two at once that build on its answer. */
export const several_rounds: Feature = {
	name: "several rounds",
	async run({ peer }) {
		const { first, second, model } = await told(peer, "ask_twice");
		assert.equal(first, "name for First?");
		assert.equal(second.content.name, "name for Second?");
		assert.equal(model.content.text, "model: Greet name for First?.");
	},
};
