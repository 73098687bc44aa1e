import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { loadPlan } from "./load.ts";
import { formatProblem } from "./problem.ts";

const provider = {
	name: "company",
	issuer: "https://login.example.com",
	client_id: "moorage",
};
const identity = { login: { federated: [provider] } };
const subject = {
	issuer: "https://login.example.com",
	client_id: "moorage",
	token: "${file:/run/id-token}",
};

async function load(t: TestContext, oauth: object, server: object, more: object) {
	const cwd = await tempFolder(t);
	const one = { url: "https://mcp.example.com/mcp", auth: "oauth", oauth, ...server };
	const content = { version: 1, servers: { one }, ...more };
	await writeFile(join(cwd, "moorage.yaml"), JSON.stringify(content));
	const places = { path: "moorage.yaml", cwd, home: cwd };
	return loadPlan({
		...places,
		environment: { ISSUER: subject.issuer, PLAIN: "http://login.example.com" },
		overrides: {},
	});
}

const client = { client_id: "us" };
const us = { ...client, issuer: "https://auth.example.com" };

for (const [what, oauth, server, more] of [
	["of whoever calls", { grant: "id_jag", ...us }, {}, { identity }],
	["for one session", { grant: "token_exchange", ...us }, { scope: "session" }, { identity }],
	[
		"at a provider that is named",
		{ grant: "id_jag", provider: "company", ...us },
		{},
		{ identity },
	],
	["of Moorage's own", { grant: "id_jag", subject, ...us }, { scope: "shared" }, { identity }],
	["of Moorage's own where nobody is told apart", { grant: "id_jag", subject, ...us }, {}, {}],
	[
		"at the authorization server that a preset knows",
		{ grant: "token_exchange", preset: "gitlab", client_id: "us", client_secret: "${secret:us}" },
		{ url: "https://tools.example.com/mcp" },
		{ identity },
	],
	[
		"of a provider whose address stands in the environment",
		{ grant: "id_jag", subject: { ...subject, issuer: "${env:ISSUER}" }, ...us },
		{},
		{},
	],
] as const) {
	test(`an identity may be exchanged: ${what}`, async (t) => {
		const loaded = await load(t, oauth, server, more);
		assert.ok(loaded.ok, JSON.stringify(loaded));
	});
}

for (const [what, oauth, server, more, message] of [
	["where nobody is told apart", { grant: "id_jag", ...us }, {}, {}, /without `identity`/],
	[
		"of a server that all share",
		{ grant: "token_exchange", ...us },
		{ scope: "shared" },
		{ identity },
		/with `scope: shared` there is none/,
	],
	[
		"at whatever authorization server the remote server names",
		{ grant: "token_exchange", ...client },
		{},
		{ identity },
		/nothing says to which/,
	],
	[
		"for an assertion that whatever server is named would be shown",
		{ grant: "id_jag", ...client },
		{},
		{ identity },
		/nothing says to which/,
	],
	["without a client", { grant: "id_jag" }, {}, { identity }, /needs a `client_id`/],
	[
		"of a provider that nobody knows",
		{ grant: "id_jag", provider: "other", ...us },
		{},
		{ identity },
		/no provider of this name/,
	],
	["where a page is shown", { provider: "company" }, {}, { identity }, /has no meaning with/],
	[
		"of two at once",
		{ grant: "id_jag", provider: "company", subject, ...us },
		{},
		{ identity },
		/exclude each other/,
	],
	[
		"of an issuer in clear text that stands in the environment",
		{ grant: "id_jag", subject: { ...subject, issuer: "${env:PLAIN}" }, ...us },
		{},
		{},
		/not an https address/,
	],
	[
		"of an issuer in clear text",
		{ grant: "id_jag", subject: { ...subject, issuer: "http://login.example.com" }, ...us },
		{},
		{},
		/not an https address/,
	],
] as const) {
	test(`an identity is not exchanged ${what}`, async (t) => {
		const loaded = await load(t, oauth, server, more);
		assert.ok(!loaded.ok);
		assert.match(loaded.problem.map(formatProblem).join("\n"), message);
	});
}

test("an ID token that stands in the configuration itself is refused, and not shown", async (t) => {
	const token = `eyJ${"a".repeat(40)}.eyJ${"b".repeat(40)}.${"c".repeat(43)}`;
	const oauth = { grant: "id_jag", ...us, subject: { ...subject, token } };
	const loaded = await load(t, oauth, {}, {});
	assert.ok(!loaded.ok);
	const text = loaded.problem.map(formatProblem).join("\n");
	assert.match(text, /looks like a secret/);
	assert.equal(text.includes(token), false);
});
