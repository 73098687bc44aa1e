import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Feature } from "../cell.ts";
import type { Json, Peer } from "../peer.ts";

async function allResources(peer: Peer): Promise<{ pages: number; uris: string[] }> {
	const uris: string[] = [];
	let cursor: string | undefined;
	let pages = 0;
	do {
		const params: Json = cursor === undefined ? {} : { cursor };
		const page = await peer.request("resources/list", params);
		uris.push(...page.resources.map(({ uri }: { uri: string }) => uri));
		cursor = page.nextCursor;
		pages += 1;
		assert.ok(pages < 10, "the pages end");
	} while (cursor !== undefined);
	return { pages, uris };
}

export const resources: Feature = {
	name: "resources",
	async run({ peer }) {
		const { uris } = await allResources(peer);
		assert.ok(uris.includes("matrix://item/1"));
		const { contents } = await peer.request("resources/read", { uri: "matrix://item/1" });
		assert.equal(contents[0].text, "Item 1.");
	},
};

export const pagination: Feature = {
	name: "pagination",
	async run({ peer }) {
		const { pages, uris } = await allResources(peer);
		assert.equal(pages, 3);
		assert.equal(new Set(uris).size, 6);
	},
};

export const templates: Feature = {
	name: "templates",
	async run({ peer }) {
		const { resourceTemplates } = await peer.request("resources/templates/list");
		assert.equal(resourceTemplates[0].uriTemplate, "matrix://item/{number}");
		const { contents } = await peer.request("resources/read", { uri: "matrix://item/42" });
		assert.equal(contents[0].text, "Item 42.");
	},
};

export const prompts: Feature = {
	name: "prompts",
	async run({ peer }) {
		const listed = await peer.request("prompts/list");
		assert.equal(listed.prompts[0].name, "greet");
		const params = { name: "greet", arguments: { name: "Ada" } };
		const { messages } = await peer.request("prompts/get", params);
		assert.equal(messages[0].content.text, "Greet Ada.");
	},
};

export const completion: Feature = {
	name: "completion",
	async run({ peer }) {
		const named = await peer.request("completion/complete", {
			ref: { type: "ref/prompt", name: "greet" },
			argument: { name: "name", value: "na" },
		});
		assert.deepEqual(named.completion.values, ["nadia", "nathan"]);
		const numbered = await peer.request("completion/complete", {
			ref: { type: "ref/resource", uri: "matrix://item/{number}" },
			argument: { name: "number", value: "3" },
		});
		assert.deepEqual(numbered.completion.values, ["3"]);
	},
};

/** A page for a tool: its address, its rules, and a tool that only the page calls. */
export const apps: Feature = {
	name: "apps",
	async run({ peer }) {
		const { tools } = await peer.request("tools/list");
		const named = (wanted: string) => tools.find(({ name }: { name: string }) => name === wanted);
		const uri = named("clock")._meta.ui.resourceUri;
		assert.deepEqual(named("clock_refresh")._meta.ui.visibility, ["app"]);
		const { contents } = await peer.request("resources/read", { uri });
		assert.equal(contents[0].mimeType, "text/html;profile=mcp-app");
		assert.deepEqual(contents[0]._meta.ui.csp, { connectDomains: ["https://time.example"] });
		const { content } = await peer.call("clock_refresh");
		assert.equal(content[0].text, "tock");
	},
};

export const skills: Feature = {
	name: "skills",
	async run({ peer }) {
		const extensions = { "io.modelcontextprotocol/skills": {} };
		const listed = await peer.wire("skills/list", {}, extensions);
		const [skill] = listed.result?.skills ?? [];
		assert.equal(skill.frontmatter.name, "greeting");
		if (peer.era === "modern") assert.equal(typeof listed.result.ttlMs, "number");
		const got = await peer.wire("skills/get", { uri: skill.uri }, extensions);
		assert.deepEqual(got.result?.skill, skill);
		const { contents } = await peer.request("resources/read", { uri: skill.uri });
		const digest = createHash("sha256").update(contents[0].text).digest("hex");
		assert.equal(skill.resources[0].digest, `sha256:${digest}`);
	},
};
