import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { withoutSecrets } from "./without-secrets.ts";

const canary = "canary-4f9a1c";

test("values of environments and headers become references of their names", () => {
	const config = {
		servers: {
			a: { command: "x", env: { API_KEY: canary, PORT: 8080 }, headers: { "X-Auth": canary } },
		},
	};
	assert.deepEqual(withoutSecrets(JSON.stringify(config)), {
		servers: {
			a: {
				command: "x",
				env: { API_KEY: "${API_KEY}", PORT: "${PORT}" },
				headers: { "X-Auth": "${X_AUTH}" },
			},
		},
	});
});

test("references to secrets elsewhere are kept as they are", () => {
	const env = { A: "${TOKEN}", B: "${env:TOKEN}", C: "${input:key}" };
	const headers = { Authorization: "Bearer ${TOKEN}" };
	const config = { servers: { a: { env, headers } } };
	assert.deepEqual(withoutSecrets(JSON.stringify(config)), config);
});

test("options of command lines lose what is called by a secret's name", () => {
	const args = [
		"-y",
		"pkg",
		"--token",
		canary,
		`--api-key=${canary}`,
		"--port",
		"80",
		`PASSWORD=${canary}`,
	];
	const found = withoutSecrets(JSON.stringify({ servers: { a: { args } } }));
	assert.deepEqual(found, {
		servers: {
			a: {
				args: [
					"-y",
					"pkg",
					"--token",
					"${TOKEN}",
					"--api-key=${API_KEY}",
					"--port",
					"80",
					"PASSWORD=${PASSWORD}",
				],
			},
		},
	});
});

test("addresses lose their credentials and the values of their queries", () => {
	const url = `https://me:${canary}@example.com/mcp?key=${canary}&key=${canary}`;
	const found = JSON.stringify(withoutSecrets(JSON.stringify({ servers: { a: { url } } })));
	assert.doesNotMatch(found, /canary/);
	assert.match(found, /example\.com\/mcp/);
	const plain = { servers: { a: { url: "https://example.com/mcp" } } };
	assert.deepEqual(withoutSecrets(JSON.stringify(plain)), plain);
});

test("hashes of API keys and tokens of well-known form are not in it", () => {
	const text = `
identity:
  keys:
    - { name: alice, hash: "sha256:${canary}" }
servers:
  a: { command: node, args: [ghp_${canary}], cwd: /srv/app } # ${canary}
`;
	const found = JSON.stringify(withoutSecrets(text));
	assert.doesNotMatch(found, /canary/);
	assert.match(found, /alice/);
	assert.match(found, /srv\/app/);
});

test("no secret gets through, wherever in a server's environment or headers it stands", () => {
	const key = fc.stringMatching(/^[A-Za-z][A-Za-z_-]{0,12}$/);
	const place = fc.constantFrom("env", "headers");
	fc.assert(
		fc.property(key, place, fc.string(), (name, map, around) => {
			const value = `${around}${canary}`;
			const text = JSON.stringify({ servers: { s: { [map]: { [name]: value } } } });
			assert.doesNotMatch(JSON.stringify(withoutSecrets(text)), /canary/);
		}),
	);
});
