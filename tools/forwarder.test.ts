import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { forward_programs } from "../src/hosting/egress/forward-programs.ts";
import {
	buildForwarder,
	compiler_version,
	compilers,
	type Processor,
	renderPrograms,
	versionOf,
} from "./forwarder.ts";

for (const processor of Object.keys(compilers) as Processor[]) {
	const found = versionOf(processor);
	const skip =
		found !== compiler_version &&
		`needs ${compilers[processor]} ${compiler_version}, which Debian 12 has (found: ${found ?? "none"})`;
	test(`the forwarder for ${processor} is what its source compiles to, byte by byte`, {
		skip,
	}, () => {
		const built = buildForwarder(processor);
		const recorded = forward_programs[processor];
		assert.equal(createHash("sha256").update(built).digest("hex"), recorded?.sha256);
		assert.equal(built.toString("base64"), recorded?.base64);
	});
}

test("the programs are written as source that has them whole", () => {
	const text = renderPrograms({ x64: Buffer.alloc(200, 1), arm64: Buffer.from("b") });
	assert.match(text, /x64: \{\n\t\tsha256: "[0-9a-f]{64}"/);
	const quoted = [...text.matchAll(/^\t\t\t"([^"]+)",$/gm)].map(([, line]) => line);
	assert.equal(quoted.join(""), Buffer.alloc(200, 1).toString("base64") + "Yg==");
	assert.ok(text.split("\n").every((line) => line.length <= 100));
});
