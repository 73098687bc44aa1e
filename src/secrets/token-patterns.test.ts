import assert from "node:assert/strict";
import { test } from "node:test";
import { redacted, SecretRedactor } from "./redactor.ts";
import { token_patterns } from "./token-patterns.ts";

const redactor = new SecretRedactor();

/** Made up here, of the form that each service documents. */
const body = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0";
const tokens: Readonly<Record<string, string>> = {
	"aws-access-key": "AKIAABCDEFGH234567AB",
	anthropic: `sk-ant-api03-${body}`,
	openai: `sk-${body.slice(0, 20)}T3BlbkFJ${body.slice(0, 20)}`,
	"openai-project": `sk-proj-${body}`,
	github: `ghp_${body}`,
	gitlab: `glpat-${body.slice(0, 20)}`,
	slack: `xoxb-1234567890-${body.slice(0, 24)}`,
	"slack-webhook": `hooks.slack.com/services/T000000/B000000/${body.slice(0, 24)}`,
	"google-api-key": `AIza${body.slice(0, 35)}`,
	"google-oauth": `ya29.${body}`,
	"google-client-secret": `GOCSPX-${body.slice(0, 28)}`,
	stripe: `sk_live_${body.slice(0, 24)}`,
	"stripe-webhook": `whsec_${body.slice(0, 32)}`,
	npm: `npm_${body.slice(0, 36)}`,
	pypi: `pypi-${body}${body}`,
	"hugging-face": `hf_${body.slice(0, 34)}`,
	sendgrid: `SG.${body.slice(0, 22)}.${body}abc`,
	notion: `ntn_${body}123456`,
	linear: `lin_api_${body}`,
	sentry: `sntrys_${body}`,
	atlassian: `ATATT3xFf${body}${body}`,
	digitalocean: `dop_v1_${"0123456789abcdef".repeat(4)}`,
	vault: `hvs.${body}`,
	moorage: `mrg_${body}`,
	jwt: `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.${body}`,
	"private-key": "-----BEGIN RSA PRIVATE KEY-----\nabcd\n+/efgh==\n-----END RSA PRIVATE KEY-----",
};

for (const [name, token] of Object.entries(tokens)) {
	test(`a token of the kind "${name}" is redacted wherever it stands`, () => {
		for (const [before, after] of [
			["", ""],
			["it said: ", " and went"],
			['{"a":"', '","b":1}'],
			["https://example.com/?a=", "&b=1"],
		] as const) {
			assert.equal(redactor.text(before + token + after), before + redacted + after);
		}
		assert.equal(redactor.bytes(Buffer.from(`é${token} é`)).toString(), `é${redacted} é`);
	});
}

for (const [text, safe] of [
	["GET https://bob:hunter22@example.com:80/a", `GET https://bob:${redacted}@example.com:80/a`],
	["redis://:hunter22@localhost", `redis://:${redacted}@localhost`],
	["Authorization: Bearer abcdefghijkl", `Authorization: Bearer ${redacted}`],
	["authorization: Basic Ym9iOmh1bnRlcjI=", `authorization: Basic ${redacted}`],
	["login with password=hunter22 failed", `login with password=${redacted} failed`],
	['{"api_key": "abc123def"}', `{"api_key": "${redacted}"}`],
	['{\\"client_secret\\":\\"abc123def\\"}', `{\\"client_secret\\":\\"${redacted}\\"}`],
	["server --token abc123def --port 80", `server --token ${redacted} --port 80`],
	["GITHUB_TOKEN=abc123def node x", `GITHUB_TOKEN=${redacted} node x`],
] as const) {
	test(`what its surroundings name a secret is redacted: ${text}`, () => {
		assert.equal(redactor.text(text), safe);
	});
}

for (const text of [
	"bearer of news",
	"http://example.com:80/a@b",
	"the token: expired",
	"no password given",
	"max_tokens: 4096",
	"basic functions only",
	"skip-ant-hill",
	"a secret is 5 letters",
	"an eyJunk.eyes text",
]) {
	test(`ordinary words are kept: ${text}`, () => assert.equal(redactor.text(text), text));
}

test("every keyword is long enough to be looked for, and every pattern global", () => {
	for (const { keywords, pattern, name } of token_patterns) {
		assert.ok(keywords.length > 0 && keywords.every((one) => one.length >= 4), name);
		assert.ok(pattern.global, name);
	}
});

test("what stands behind the beginning of a key may be as long as any reply", () => {
	const length = 20_000_000;
	const begin = "-----BEGIN PRIVATE KEY-----";
	assert.equal(redactor.text(begin + "a".repeat(length)), redacted);
	const words = redactor.text(begin + "a-".repeat(length / 2));
	assert.ok(words.startsWith(redacted) && words.length > length / 2);
});
