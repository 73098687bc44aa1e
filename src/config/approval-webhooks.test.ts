import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { loadPlan } from "./load.ts";

const secret = "0123456789abcdef";

/** Loads webhooks (flow YAML), with secrets in the environment. */
async function load(t: TestContext, webhooks: string) {
	const server = "version: 1\nservers: { a: { command: run } }\n";
	const text = `${server}approvals:\n  risk: [destructive]\n  webhooks: ${webhooks}\n`;
	const cwd = await tempFolder(t, { "moorage.yaml": text });
	const environment = {
		SECRET: secret,
		SHORT: "0123456789abcde",
		ENCODED: `whsec_${Buffer.alloc(16, 7).toString("base64")}`,
		// Long as a text, and no byte of base64.
		EMPTY: `whsec_${"!".repeat(40)}`,
		PLACE: "https://relay.example/private-place",
		WRONG: "http://relay.example/private-place",
	};
	return loadPlan({ path: undefined, cwd, environment, home: "/", overrides: {} });
}

test("a receiver is what is written, and what holds by default", async (t) => {
	const plan = await load(
		t,
		// biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the configuration
		'[{ name: chat, url: "${PLACE}", secret: "${SECRET}" }]',
	);
	assert.ok(plan.ok, JSON.stringify(plan));
	assert.deepEqual(plan.value.approval_webhooks, [
		{
			name: "chat",
			url: "https://relay.example/private-place",
			secret,
			tenant: undefined,
			roles: ["approver"],
			decides: false,
		},
	]);
	// What is demanded of a call is stored with it, and shown.
	assert.doesNotMatch(JSON.stringify(plan.value.approvals), new RegExp(secret));
});

test("addresses of this machine need no encryption, and all others do", async (t) => {
	const good = ["http://127.0.0.1:8080/x", "http://localhost/x", "http://[::1]:9/", "https://a.b/"];
	for (const url of good) {
		// biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the configuration
		const plan = await load(t, `[{ name: a, url: "${url}", secret: "\${SECRET}" }]`);
		assert.ok(plan.ok, url);
	}
});

test("mistakes are told with their place, and without the address or the secret", async (t) => {
	const one = (fields: string) =>
		`[{ name: a, url: "https://a.example", secret: "\${SECRET}", ${fields} }]`;
	const with_url = (url: string) => `[{ name: a, url: "${url}", secret: "\${SECRET}" }]`;
	const with_secret = (text: string) =>
		`[{ name: a, url: "https://a.example", secret: "${text}" }]`;
	const mistakes: [string, RegExp][] = [
		[with_url("http://a.example"), /only to an `https` address/],
		[with_url("http://192.168.1.1/"), /only to an `https` address/],
		[with_url("${WRONG}"), /only to an `https` address/],
		[with_url("https://user:word@a.example"), /only to an `https` address/],
		[with_url("a.example"), /only to an `https` address/],
		[with_url("file:///etc/passwd"), /only to an `https` address/],
		[with_secret("${SHORT}"), /less than 16 bytes/],
		[with_secret("${EMPTY}"), /less than 16 bytes/],
		[with_secret("${MISSING}"), /MISSING/],
		[with_secret(secret), /in plain text/],
		['[{ name: a, secret: "${SECRET}" }]', /url/],
		['[{ name: a, url: "https://a.example" }]', /secret/],
		['[{ name: A, url: "https://a.example", secret: "${SECRET}" }]', /name/],
		['[{ name: "../a", url: "https://a.example", secret: "${SECRET}" }]', /name/],
		[one("roles: [admin]"), /roles/],
		[one("roles: [approver, admin]"), /roles/],
		[one("decide: true"), /Did you mean `decides`/],
		[one("decides: maybe"), /decides/],
		[one('tenant: ""'), /tenant/],
		[
			'[{ name: a, url: "https://a.example", secret: "${SECRET}" }, { name: a, url: "https://b.example", secret: "${SECRET}" }]',
			/Two webhooks of approvals are named `a`/,
		],
	];
	for (const [webhooks, expected] of mistakes) {
		const plan = await load(t, webhooks);
		assert.ok(!plan.ok, webhooks);
		const [problem] = plan.problem;
		assert.equal(problem?.line, 5, JSON.stringify(plan.problem));
		assert.match(`${problem?.message} ${problem?.next}`, expected);
		assert.doesNotMatch(JSON.stringify(plan.problem), /private-place|0123456789/);
	}
	assert.ok((await load(t, with_secret("${ENCODED}"))).ok);
});

test("there are at most sixteen", async (t) => {
	const many = (count: number) => {
		const one = (_: unknown, at: number) =>
			`{ name: a${at}, url: "https://a.example", secret: "\${SECRET}" }`;
		return `[${Array.from({ length: count }, one).join(", ")}]`;
	};
	assert.ok((await load(t, many(16))).ok);
	assert.ok(!(await load(t, many(17))).ok);
});
