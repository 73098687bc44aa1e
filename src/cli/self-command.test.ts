import assert from "node:assert/strict";
import { test } from "node:test";
import { selfCommand, typedCommand } from "./self-command.ts";

const node = "/usr/bin/node";

test("others start this program as it was started", () => {
	assert.deepEqual(selfCommand(node, "/opt/moorage/bin/moorage"), [
		node,
		"/opt/moorage/bin/moorage",
	]);
});

test("a copy that npx fetched is started through npx", () => {
	const script = "/home/a/.npm/_npx/8f/node_modules/moorage/bin/moorage";
	assert.deepEqual(selfCommand(node, script), ["npx", "-y", "moorage"]);
});

test("the name to type is the script in a checkout, and the command elsewhere", () => {
	const cases = [
		[[node, "/src/moorage/bin/moorage"], "/src/moorage", "bin/moorage"],
		[[node, "/src/moorage/bin/moorage"], "/src/moor", "moorage"],
		[[node, "/src/a/node_modules/moorage/bin/moorage"], "/src/a", "moorage"],
		[[node, "/usr/lib/node_modules/moorage/bin/moorage"], "/home/a", "moorage"],
		[["npx", "-y", "moorage"], "/home/a", "npx moorage"],
	] as const;
	for (const [self, cwd, expected] of cases) assert.equal(typedCommand(self, cwd), expected);
});
