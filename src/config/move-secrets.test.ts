import assert from "node:assert/strict";
import { test } from "node:test";
import { findEnvSecrets, findSecrets, moveSecrets } from "./move-secrets.ts";

/** The file with each secret under the name it would have. */
function moved(path: string, text: string): string {
	const found = findSecrets(path, text) ?? assert.fail("it can be read");
	return moveSecrets(text, found, new Map(found.map((one) => [one, one.name])));
}

test("secrets of a client's file are found wherever they may stand, and all else is kept", () => {
	const text = `{
	// kept
	"mcpServers": {
		"one": { "command": "x", "args": ["--token", "abc123def", "--key=abc123def", "y"],
			"env": { "A_TOKEN": "abc123def", "B": "c", "C_TOKEN": "\${env:D}" } },
		"two": { "url": "https://x.com/", "headers": { "Authorization": "Bearer abc123def" } },
	},
	"other": { "A_TOKEN": "abc123def" }
}`;
	const found = findSecrets("mcp.json", text);
	assert.deepEqual(
		found?.map(({ name, value }) => [name, value]),
		[
			["one_token", "abc123def"],
			["a_token", "abc123def"],
			["two_authorization", "abc123def"],
		],
	);
	const after = moved("mcp.json", text);
	assert.match(after, /"--token", "\$\{secret:one_token\}", "--key=abc123def"/);
	assert.match(after, /"Authorization": "Bearer \$\{secret:two_authorization\}"/);
	assert.match(after, /\/\/ kept/);
	assert.match(after, /"other": \{ "A_TOKEN": "abc123def" \}/);
});

test("secrets of a moorage.yaml are found in every way of writing a text", () => {
	const text = `# kept
servers:
  one:
    command: run
    env: { A_TOKEN: abc123def, B_TOKEN: 'abc''123', PIN_TOKEN: 123456789, MODE: on }
    files: { KEY_SECRET: "abc\\n123" }
`;
	const found = findSecrets("moorage.yaml", text);
	assert.deepEqual(
		found?.map(({ value }) => value),
		["abc123def", "abc'123", "123456789", "abc\n123"],
	);
	const after = moved("moorage.yaml", text);
	assert.match(after, /^# kept\n/);
	assert.doesNotMatch(after, /abc|123/);
	assert.deepEqual(findSecrets("moorage.yaml", after), []);
});

test("a file that cannot be read is told from one without secrets", () => {
	assert.equal(findSecrets("mcp.json", '{"mcpServers": {'), undefined);
	assert.equal(findSecrets("moorage.yaml", "a: [1"), undefined);
	assert.deepEqual(findSecrets("mcp.json", "{}"), []);
});

test("of an .env file only what looks like a secret is taken", () => {
	assert.deepEqual(findEnvSecrets("A_TOKEN='x y z'\nPORT=80\n# B_TOKEN=q\n"), [
		{ name: "a_token", value: "x y z" },
	]);
});
