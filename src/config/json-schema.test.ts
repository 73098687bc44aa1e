import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { moorageJsonSchema, moorageJsonSchemaText, type SchemaNode } from "./json-schema.ts";
import { loadPlan } from "./load.ts";
import { referenceRows, referenceTable } from "./reference.ts";

const docs = join(import.meta.dirname, "..", "..", "docs");

test("the schema for editors is up to date", async () => {
	const file = await readFile(join(docs, "moorage.schema.json"), "utf8");
	assert.equal(file, moorageJsonSchemaText(), "run `node tools/schema.ts`");
	assert.deepEqual(JSON.parse(file), JSON.parse(JSON.stringify(moorageJsonSchema())));
});

test("the reference in the documentation is up to date", async () => {
	const page = await readFile(join(docs, "configuration.md"), "utf8");
	assert.ok(page.includes(referenceTable()), "run `node tools/schema.ts`");
});

test("every key is in the documentation, with its default", async () => {
	const page = await readFile(join(docs, "configuration.md"), "utf8");
	const rows = referenceRows();
	assert.ok(rows.length > 30);
	for (const row of rows) {
		const line = page.split("\n").find((one) => one.startsWith(`| \`${row.key}\` |`));
		assert.ok(line !== undefined, row.key);
		assert.ok(line.includes(row.default_text), row.key);
	}
});

test("every key has a description, and a default where there can be one", () => {
	const without_default = new Set([
		"$schema",
		"servers.NAME.command",
		"servers.NAME.url",
		"servers.NAME.image",
		"servers.NAME.runtime",
		"servers.NAME.scope",
		"servers.NAME.concurrency",
		"servers.NAME.version",
		"servers.NAME.reviewed",
		"identity",
		"identity.login",
		"identity.issuer",
		"identity.audience",
		"public_url",
		"tls",
		"tls.cert",
		"tls.key",
		"tls.client_ca",
		"servers.NAME.auth",
		"servers.NAME.oauth",
		...["client_id", "client_secret", "private_key", "client_metadata", "issuer"].map(
			(key) => `servers.NAME.oauth.${key}`,
		),
		...["account", "preset", "tenant", "provider", "subject"].map(
			(key) => `servers.NAME.oauth.${key}`,
		),
		...["issuer", "client_id", "client_secret", "token"].map(
			(key) => `servers.NAME.oauth.subject.${key}`,
		),
		"endpoints.NAME.servers",
		"telemetry",
		"telemetry.otlp",
		"telemetry.otlp.url",
		"alerts",
		"approvals",
		...["metric", "by", "over", "within", "min", "baseline", "for", "clear", "severity"].map(
			(key) => `alerts.rules.NAME.${key}`,
		),
		"audit.tenants.NAME.keep_days",
		...["read", "reversible", "costly", "visible", "destructive", "other", "admin"].flatMap(
			(key) => [`audit.classes.${key}`, `audit.tenants.NAME.classes.${key}`],
		),
		...["file", "env", "keyring", "command"].map((key) => `secrets.master_key.${key}`),
		...["", ".address", ".token", ".namespace"].map((key) => `secrets.vault${key}`),
		...["approle", "approle.role_id", "approle.secret_id"].map((key) => `secrets.vault.${key}`),
		...["kubernetes", "kubernetes.role"].map((key) => `secrets.vault.${key}`),
		...["jwt", "jwt.role", "jwt.token"].map((key) => `secrets.vault.${key}`),
	]);
	const visit = (node: SchemaNode, prefix: string): void => {
		for (const [name, child] of Object.entries(node.properties ?? {})) {
			const key = prefix + name;
			assert.match(child.description ?? "", /\.$/, key);
			assert.equal(child.default === undefined, without_default.has(key), key);
			visit(child, `${key}.`);
			for (const form of child.anyOf ?? []) visit(form, `${key}.`);
			const values = child.additionalProperties;
			if (typeof values === "object") visit(values, `${key}.NAME.`);
		}
	};
	visit(moorageJsonSchema(), "");
});

test("unknown keys are wrong for editors too", () => {
	const closed: string[] = [];
	const visit = (node: SchemaNode, path: string): void => {
		const values = node.additionalProperties;
		const is_open = values !== false && typeof values !== "object";
		if (node.properties !== undefined && is_open) closed.push(path);
		const inner = [
			...Object.entries(node.properties ?? {}),
			...(node.anyOf ?? []).map((form) => ["|", form] as const),
		];
		for (const [name, child] of inner) visit(child, `${path}.${name}`);
		if (typeof values === "object") visit(values, `${path}.*`);
	};
	visit(moorageJsonSchema(), "");
	assert.deepEqual(closed, []);
});

test("the example in the documentation loads as it stands", async (context) => {
	const page = await readFile(join(docs, "configuration.md"), "utf8");
	const [, example = ""] = /```yaml\n([^]*?)```/.exec(page) ?? [];
	assert.match(example, /servers:/);
	const cwd = await tempFolder(context, { "moorage.yaml": example });
	const environment = { GITHUB_TOKEN: "a", NOTION_TOKEN: "b" };
	const loaded = await loadPlan({ path: undefined, cwd, environment, home: "/", overrides: {} });
	assert.ok(loaded.ok, JSON.stringify(loaded));
	assert.deepEqual(loaded.value.warnings, []);
	assert.equal(loaded.value.servers.length, 3);
});
