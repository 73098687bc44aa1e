import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { templateParts } from "../secrets/template.ts";
import {
	expandReferences,
	keepReferences,
	type ReferenceSyntax,
	type ReferenceValues,
	referencedInputs,
} from "./references.ts";

function values(syntax: ReferenceSyntax, more: Partial<ReferenceValues> = {}): ReferenceValues {
	return {
		syntax,
		environment: { SET: "value", EMPTY: "", A1_b: "other", DOLLAR: "$SET ${SET} $${SET}" },
		inputs: new Map([["the id", "answer"]]),
		workspace: "/work/project",
		home: "/home/someone",
		...more,
	};
}

const expansions: readonly (readonly [ReferenceSyntax, string, string])[] = [
	["moorage", "${SET}", "value"],
	["moorage", "a${env:SET}b${A1_b}", "avaluebother"],
	["moorage", "${EMPTY}", ""],
	["moorage", "${DOLLAR}", "$SET ${SET} $${SET}"],
	["moorage", "$SET $1 $ $$ $$$", "$SET $1 $ $$ $$$"],
	["moorage", "$${SET}", "${SET}"],
	["moorage", "$$${SET}", "$${SET}"],
	["client", "$SET-$A1_b.x", "value-other.x"],
	["client", "${SET:-no}${UNSET:-yes}${UNSET:-}", "valueyes"],
	["client", "${EMPTY:-no}", ""],
	["client", "${env:SET}${env:UNSET:-no}", "valueno"],
	["client", "${UNSET:-a:b-c /d}", "a:b-c /d"],
	["client", "${input:the id}", "answer"],
	["client", "${workspaceFolder}${/}${workspaceFolderBasename}", "/work/project/project"],
	["client", "${userHome}${pathSeparator}x", "/home/someone/x"],
	["client", "$DOLLAR", "$SET ${SET} $${SET}"],
	["client", "$5 US$ $-x $", "$5 US$ $-x $"],
	["client", "$$SET $${SET} $$5", "$SET ${SET} $$5"],
];

for (const [syntax, text, expected] of expansions) {
	test(`in ${syntax} text, ${text} stands for ${expected === "" ? "nothing" : expected}`, () => {
		const expansion = expandReferences(text, values(syntax));
		assert.equal(expansion.text, expected);
		assert.deepEqual(
			expansion.notes.filter((note) => note.kind === "problem"),
			[],
		);
	});
}

test("every reference that fails is told with its place, and stays as it stands", () => {
	const text = "${NO_1} x ${env:NO_2} ${secret:name} ${";
	const expansion = expandReferences(text, values("moorage"));
	assert.equal(expansion.text, text);
	assert.deepEqual(
		expansion.notes.map((note) => [note.kind, note.index]),
		[
			["problem", 0],
			["problem", 10],
			["problem", 22],
			["problem", 37],
		],
	);
	assert.match(expansion.notes[0]?.message ?? "", /`NO_1` is not set/);
	assert.match(expansion.notes[2]?.next ?? "", /`env`, `headers`, `args`/);
});

test("what is kept for later and then filled in is what would be put in at once", () => {
	const filled = (text: string, syntax: "moorage" | "client") => {
		const at_once = values(syntax);
		return templateParts(keepReferences(text, at_once).text)
			.map((part) => {
				if (typeof part === "string") return part;
				if (part.kind === "input") return at_once.inputs.get(part.body);
				return part.kind === "env" ? at_once.environment[part.body] : assert.fail(part.kind);
			})
			.join("");
	};
	const property = fc.property(anyText, fc.constantFrom("moorage", "client"), (text, syntax) => {
		const expansion = expandReferences(text, values(syntax));
		fc.pre(expansion.notes.every(({ kind }) => kind !== "problem"));
		assert.equal(filled(text, syntax), expansion.text);
	});
	fc.assert(property, { numRuns: 2000 });
	assert.equal(filled("a${SET}$${SET}${A1_b}", "moorage"), "avalue${SET}other");
	assert.equal(filled("${input:the id}${UNSET:-${x}$SET", "client"), "answer${UNSET:-${x}value");
});

for (const [text, template] of [
	["Bearer ${secret:a.b-c}", "Bearer ${secret:a.b-c}"],
	["${vault:secret/my app/github#token}", "${vault:secret/my app/github#token}"],
	["${file:/run/a%b}", "${file:/run/a%25b}"],
	["${file:keys/one}", "${file:/work/project/keys/one}"],
	["${file:~/one}", "${file:/home/someone/one}"],
	["${file:keys/@tenant/@user}", "${file:/work/project/keys/@tenant/@user}"],
	["${vault:kv/@tenant/a#b}", "${vault:kv/@tenant/a#b}"],
	["${env:TOKEN_@tenant}", "${env:TOKEN_@tenant}"],
	["${SET}${EMPTY}", "${env:SET}${env:EMPTY}"],
	["$${SET} $$", "$${SET} $$"],
] as const) {
	test(`${text} is kept as ${template}`, () => {
		assert.deepEqual(keepReferences(text, values("moorage")), { text: template, notes: [] });
	});
}

for (const text of [
	"${secret:}",
	"${secret:a b}",
	"${secret:../x}",
	"${vault:token}",
	"${vault:a/b}",
	"${vault:a/../b#c}",
	"${vault:kv/@other/a#b}",
	"${vault:kv/@user/a#b}",
	"${env:TOKEN_@user}",
	"${env:TOKEN@tenant}",
	"${file:}",
	"${file:keys/@user}",
	"${op:x}",
	"${NO_SUCH}",
]) {
	test(`${text} is refused with what to write`, () => {
		const { notes } = keepReferences(text, values("moorage"));
		assert.equal(notes.length, 1);
		assert.equal(notes[0]?.kind, "problem");
		assert.notEqual(notes[0]?.next, "");
	});
}

test("a Windows project folder has the Windows separator", () => {
	const windows = values("client", { workspace: "C:\\work\\project" });
	assert.equal(expandReferences("${/}${workspaceFolderBasename}", windows).text, "\\project");
});

test("the inputs of a text are found, and only real references to them", () => {
	assert.deepEqual(referencedInputs("${input:a} $${input:b} ${env:X} ${input:c d}"), ["a", "c d"]);
});

const anyText = fc.string({
	unit: fc.constantFrom("$", "{", "}", ":", "-", "/", "A", "b", "_", "1", " ", "é", "env", "SET"),
});

test("text without a dollar is left alone", () => {
	fc.assert(
		fc.property(fc.string(), (text) => {
			fc.pre(!text.includes("$"));
			assert.deepEqual(expandReferences(text, values("client")), { text, notes: [] });
		}),
	);
});

test("any text can be written down with dollars doubled where a reference would start", () => {
	fc.assert(
		fc.property(anyText, (text) => {
			const client = text.replaceAll(/\$(?=[A-Za-z_{])/g, "$$$$");
			assert.equal(expandReferences(client, values("client")).text, text);
			const moorage = text.replaceAll(/\$(?=\{)/g, "$$$$");
			assert.equal(expandReferences(moorage, values("moorage")).text, text);
		}),
	);
});

test("a value is put in as it is, whatever it holds, between what surrounds it", () => {
	fc.assert(
		fc.property(fc.string(), fc.string(), anyText, (before, after, value) => {
			fc.pre(!before.includes("$") && !after.includes("$"));
			const known = values("client", { environment: { V: value } });
			for (const form of ["${V}", "${env:V}", "${V:-x}"]) {
				const expansion = expandReferences(before + form + after, known);
				assert.deepEqual(expansion, { text: before + value + after, notes: [] });
			}
		}),
	);
});

test("no text makes it throw, and every note points at a dollar", () => {
	fc.assert(
		fc.property(anyText, fc.constantFrom<ReferenceSyntax>("client", "moorage"), (text, syntax) => {
			for (const note of expandReferences(text, values(syntax)).notes) {
				assert.equal(text[note.index], "$");
			}
		}),
	);
});

test("no note ever repeats a value", () => {
	const secret = fc.stringMatching(/^[a-z0-9]{12,20}$/).map((text) => `s3cret${text}`);
	fc.assert(
		fc.property(anyText, secret, (text, value) => {
			const known = values("client", {
				environment: { SET: value, A: value, b: value },
				inputs: new Map([["A", value]]),
			});
			for (const note of expandReferences(text, known).notes) {
				assert.ok(!`${note.message}${note.next}`.includes(value));
			}
		}),
	);
});
