import { createHash } from "node:crypto";

/** What the servers of the matrix offer besides tools; both eras serve the same. */

const page_items = 2;

const numbered = [1, 2, 3, 4].map((number) => ({
	uri: `matrix://item/${number}`,
	name: `item-${number}`,
	mimeType: "text/plain",
}));

const resources = [
	...numbered,
	{ uri: "matrix://watched", name: "watched", mimeType: "text/plain" },
	{ uri: "ui://matrix/clock", name: "clock", mimeType: "text/html;profile=mcp-app" },
];

/** One page of the resources: its cursor is the index of its first item. */
export function resourcePage(cursor = "0") {
	const start = Number(cursor);
	const end = start + page_items;
	const page = resources.slice(start, end);
	return end < resources.length
		? { resources: page, nextCursor: String(end) }
		: { resources: page };
}

export const templates = [{ uriTemplate: "matrix://item/{number}", name: "item" }];

/** The contents of a resource, or undefined where there is none. */
export function readResource(uri) {
	if (uri === "ui://matrix/clock") {
		const meta = { ui: { csp: { connectDomains: ["https://time.example"] } } };
		const text = "<!doctype html><title>Clock</title>";
		return [{ uri, mimeType: "text/html;profile=mcp-app", text, _meta: meta }];
	}
	if (uri === skill_uri) return [{ uri, mimeType: "text/markdown", text: skill_text }];
	const number = /^matrix:\/\/item\/(\d+)$/.exec(uri)?.[1];
	if (number !== undefined) return [{ uri, mimeType: "text/plain", text: `Item ${number}.` }];
	if (uri === "matrix://watched") return [{ uri, mimeType: "text/plain", text: "Watched." }];
	return undefined;
}

export const prompts = [
	{
		name: "greet",
		description: "Greets somebody.",
		arguments: [{ name: "name", required: true }],
	},
];

export const getPrompt = ({ name }) => ({
	description: "Greets somebody.",
	messages: [{ role: "user", content: { type: "text", text: `Greet ${name}.` } }],
});

const names = ["nadia", "nathan", "otto"];

/** Values for the argument of a prompt, or for the number of a template. */
export function complete({ ref, argument }) {
	const all = ref.type === "ref/prompt" ? names : ["1", "2", "3", "4"];
	const values = all.filter((value) => value.startsWith(argument.value));
	return { completion: { values, total: values.length, hasMore: false } };
}

const skill_text = "---\nname: greeting\ndescription: How to greet people.\n---\n\nSay hello.\n";
const skill_uri = "skill://greeting/SKILL.md";

/** One skill (SEP-2640), with the digest and the size of its only file. */
const skill = {
	uri: skill_uri,
	frontmatter: { name: "greeting", description: "How to greet people." },
	resources: [
		{
			uri: skill_uri,
			digest: `sha256:${createHash("sha256").update(skill_text).digest("hex")}`,
			size: skill_text.length,
		},
	],
};

/** What the modern era wants to know of results that could be kept. */
const uncached = { ttlMs: 0, cacheScope: "private" };

/** Requests of extensions, by method: the same answer in both eras. */
export const extension_methods = {
	"skills/list": () => ({ skills: [skill], ...uncached }),
	"skills/get": () => ({ skill, ...uncached }),
	// An extension nobody has heard of: whatever it is sent comes back.
	"com.example/reverse": ({ text, ...others }) => ({
		text: [...text].reverse().join(""),
		others,
	}),
};

export const extensions = {
	"io.modelcontextprotocol/ui": {},
	"io.modelcontextprotocol/skills": {},
	"com.example/things": { depth: 3 },
};
