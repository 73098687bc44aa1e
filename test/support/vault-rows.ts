import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { SecretRows } from "../../src/secrets/vault-rows.ts";
import { openDatabase } from "../../src/store/database.ts";
import { createRepositories } from "../../src/store/repositories.ts";

/** The rows of a vault in a database of its own. */
export async function vaultRows(context: TestContext): Promise<SecretRows> {
	const opened = await openDatabase({ path: ":memory:" });
	assert.ok(opened.ok);
	context.after(() => opened.value.close());
	return createRepositories(opened.value.connection).secrets;
}
