import assert from "node:assert/strict";
import { test } from "node:test";
import { openApiDocument } from "./openapi.ts";
import { type Operation, operations } from "./operations.ts";

interface Document {
	readonly openapi: string;
	readonly info: { readonly version: string };
	readonly security: readonly unknown[];
	readonly paths: Record<string, Record<string, OperationObject>>;
	readonly components: { readonly schemas: Record<string, unknown> };
}

interface OperationObject {
	readonly operationId: string;
	readonly parameters?: readonly { readonly name: string; readonly in: string }[];
	readonly responses: Record<string, unknown>;
}

const document = openApiDocument("1.2.3") as unknown as Document;
const text = JSON.stringify(document);

test("the document has every operation of the contract at its address", () => {
	assert.equal(document.openapi, "3.1.0");
	assert.equal(document.info.version, "1.2.3");
	for (const [id, operation] of Object.entries<Operation>(operations)) {
		const found = document.paths[operation.path]?.[operation.method.toLowerCase()];
		assert.equal(found?.operationId, id);
	}
});

test("every operation needs the token and says so", () => {
	assert.deepEqual(document.security, [{ admin_token: [] }]);
	for (const path of Object.values(document.paths)) {
		for (const operation of Object.values(path)) assert.ok(operation.responses["401"]);
	}
});

test("every part of a path is a declared parameter", () => {
	for (const [path, methods] of Object.entries(document.paths)) {
		const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
		for (const operation of Object.values(methods)) {
			const declared = (operation.parameters ?? []).filter((one) => one.in === "path");
			assert.deepEqual(
				declared.map((one) => one.name),
				names,
			);
		}
	}
});

test("every reference leads to a schema of the document", () => {
	const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] as string);
	assert.ok(references.length > 20);
	for (const reference of references) {
		const name = reference.replace("#/components/schemas/", "");
		assert.ok(document.components.schemas[name], reference);
	}
});

test("replies may grow, requests may not have unknown members", () => {
	const schemas = document.components.schemas as Record<
		string,
		{ additionalProperties?: unknown; anyOf?: { additionalProperties?: unknown }[] }
	>;
	assert.equal(schemas["Overview"]?.additionalProperties, undefined);
	assert.equal(schemas["AddServer"]?.additionalProperties, false);
	assert.equal(schemas["ServerEntry"]?.anyOf?.[0]?.additionalProperties, false);
});

test("the document is plain JSON", () => {
	assert.deepEqual(JSON.parse(text), document);
	assert.ok(!text.includes("$schema"));
});
