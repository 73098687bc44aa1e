import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { namesSecret } from "./key-names.ts";

describe("keys that name secrets", () => {
	for (const key of [
		"authorization",
		"Authorization",
		"proxy-authorization",
		"cookie",
		"set-cookie",
		"token",
		"access_token",
		"accessToken",
		"GITHUB_TOKEN",
		"progressToken",
		"password",
		"dbPassword",
		"secret",
		"client_secret",
		"x-api-key",
		"apiKey",
		"private_key",
		"credentials",
	]) {
		it(`include ${key}`, () => assert.equal(namesSecret(key), true));
	}

	for (const key of ["author", "server", "session_id", "monkey", "keys", "tokenizer", "cook", ""]) {
		it(`do not include "${key}"`, () => assert.equal(namesSecret(key), false));
	}
});
