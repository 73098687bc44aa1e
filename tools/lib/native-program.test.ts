import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { forward_programs } from "../../src/hosting/egress/forward-programs.ts";
import { launch_programs } from "../../src/hosting/process/launch-programs.ts";
import { confine_programs } from "../../src/hosting/sandbox/confine-programs.ts";
import { buildProgram, native_programs } from "../native.ts";
import { compilerObstacle, compilers, type Processor, renderPrograms } from "./native-program.ts";

const native = [
	{ name: "forwarder", programs: forward_programs, program: native_programs.forward },
	{ name: "launcher under Landlock", programs: confine_programs, program: native_programs.confine },
	{ name: "launcher that waits", programs: launch_programs, program: native_programs.launch },
];
for (const { name, programs, program } of native) {
	for (const processor of Object.keys(compilers) as Processor[]) {
		test(`the ${name} for ${processor} is what its source compiles to, byte by byte`, {
			skip: compilerObstacle(processor),
		}, () => {
			const built = buildProgram(program, processor);
			const recorded = programs[processor];
			assert.equal(createHash("sha256").update(built).digest("hex"), recorded?.sha256);
			assert.equal(built.toString("base64"), recorded?.base64);
			assert(built.length < 20_000, `${built.length} bytes`);
		});
	}
}

test("the programs are written as source that has them whole", () => {
	const words = {
		written_by: "a tool",
		type_name: "Program",
		constant: "programs",
		what: "The program",
	};
	const text = renderPrograms({ x64: Buffer.alloc(200, 1), arm64: Buffer.from("b") }, words);
	assert.match(text, /^\/\*\* Written by a tool\. \*\//);
	assert.match(text, /x64: \{\n\t\tsha256: "[0-9a-f]{64}"/);
	const quoted = [...text.matchAll(/^\t\t\t"([^"]+)",$/gm)].map(([, line]) => line);
	assert.equal(quoted.join(""), Buffer.alloc(200, 1).toString("base64") + "Yg==");
	assert.ok(text.split("\n").every((line) => line.length <= 100));
});
