import assert from "node:assert/strict";
import { test } from "node:test";
import { secretName } from "../../config/literal-secrets.ts";
import { type Asked, filled, naturalName, newSecrets, withFreeNames } from "./filled-entry.ts";

function asked(changes: Partial<Asked>): Asked {
	return {
		kind: "env",
		name: "TOKEN",
		secret: true,
		path: ["env", "TOKEN"],
		before: "",
		after: "",
		secret_name: "token",
		...changes,
	};
}

const asks = [
	asked({}),
	asked({ name: "REGION", secret: false, path: ["env", "REGION"], secret_name: "region" }),
	asked({ kind: "argument", name: "--key", path: ["args", 1], before: "--key=", given: "abc" }),
];
const entry = { command: "x", args: ["-y", "--key=abc"], env: { TOKEN: "<yours>", MODE: "fast" } };

test("secrets stand in an entry by their names, and everything else as it was typed", () => {
	const answers = { "env TOKEN": { value: "s3cret" }, "env REGION": { value: "eu" } };
	assert.deepEqual(filled(entry, asks, answers), {
		command: "x",
		args: ["-y", "--key=${secret:token}"],
		env: { TOKEN: "${secret:token}", MODE: "fast", REGION: "eu" },
	});
	assert.deepEqual(newSecrets(asks.slice(0, 2), answers), { token: "s3cret" });
	assert.deepEqual(newSecrets(asks.slice(2), answers), { token: "abc" });
});

test("a secret that is in the vault already is used by its name, and nothing is stored", () => {
	const ask = asked({ secret_name: "token-2", stored: "token", before: "Bearer " });
	const answers = { "env TOKEN": { stored: true } };
	assert.deepEqual(filled({ env: {} }, [ask], answers), {
		env: { TOKEN: "Bearer ${secret:token}" },
	});
	assert.deepEqual(newSecrets([ask], answers), {});
});

test("a value that is added is called as if it had been pasted", () => {
	const places = [
		["env", "My_TOKEN"],
		["env", "TOKEN"],
		["env", "__"],
		["env", "_KEY"],
		["header", "X-Api-Key"],
		["header", "Authorization"],
	] as const;
	for (const [kind, name] of places) {
		const part = kind === "env" ? "env" : "headers";
		assert.equal(naturalName("a", kind, name), secretName({ server: "a", part, name }));
	}
});

test("no two values of a server share a name in the vault, nor take one that is stored", () => {
	const long = "t".repeat(128);
	const added = [
		asked({ name: "Token" }),
		asked({ name: "region", secret: false, secret_name: "region" }),
		asked({ name: "TOKEN_", secret_name: "token" }),
		asked({ name: "LONG", secret_name: long }),
		asked({ name: "REGION", secret_name: "region" }),
	];
	const named = withFreeNames(added, [asked({})], ["token-2", long]);
	assert.deepEqual(
		named.map(({ secret_name }) => secret_name),
		["token-3", "region", "token-4", `${"t".repeat(126)}-2`, "region"],
	);
});
