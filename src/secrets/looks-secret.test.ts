import assert from "node:assert/strict";
import { test } from "node:test";
import { looksSecret } from "./looks-secret.ts";

for (const [name, value] of [
	["GITHUB_TOKEN", "abc123"],
	["GITHUB_PERSONAL_ACCESS_TOKEN", "whatever it is"],
	["OPENAI_API_KEY", "abcd"],
	["apiKey", "abcd1234"],
	["Authorization", "Bearer abcdefgh"],
	["X-Api-Key", "abcd"],
	["db_password", "hunter2"],
	["SENTRY_DSN", "https://a@b/1"],
	["--token", "hunter2"],
	["ANYTHING", `ghp_${"a1B2".repeat(10)}`],
	["DATABASE_URL", "postgres://bob:hunter22@db/x"],
	["", `--header=Authorization: Bearer ${"a1".repeat(10)}`],
] as const) {
	test(`${name}=${value.slice(0, 12)}… looks like a secret`, () => {
		assert.equal(looksSecret(value, name), true);
	});
}

for (const [name, value] of [
	["TOKEN_LIMIT", "8192 tokens"],
	["MAX_TOKENS", "4096"],
	["USE_TOKEN", "true"],
	["API_KEY_HEADER", "x-api-key"],
	["PASSWORD_FILE", "/run/secrets/password"],
	["GOOGLE_APPLICATION_CREDENTIALS", "/home/me/key.json"],
	["GITHUB_TOKEN", "<your token>"],
	["GITHUB_TOKEN", ""],
	["PUBLIC_KEY", "ssh-ed25519 AAAA"],
	["PARTITION_KEY", "tenant"],
	["NODE_ENV", "production"],
	["KEY", "value"],
	["", "https://example.com/a?b=c"],
	["", "--port=8080"],
] as const) {
	test(`${name}=${value} does not`, () => assert.equal(looksSecret(value, name), false));
}
