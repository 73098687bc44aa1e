import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSource } from "../lib/source.ts";
import { checkExports, checkModulePlaces } from "./exports.ts";

const check = (text: string) =>
	checkExports(parseSource("src/lib/a.ts", text)).map(({ line, message }) => `${line} ${message}`);

test("exported functions, classes and types with a comment are fine", () => {
	assert.deepEqual(
		check(`
			/** Adds. */
			export function add(a: number): number;
			export function add(a: string): string;
			export function add(a: never): never { return a; }

			/**
			 * A thing.
			 */
			export class Thing {}
			/** A shape. */
			export interface Shape { a: 1 }
			/** One of two. */
			export type Two = 1 | 2;
			/** Does. */
			export const act = () => 1;
		`),
		[],
	);
});

test("what is not exported, is a constant, or is made of a value needs none", () => {
	assert.deepEqual(
		check(`
			function hidden() {}
			interface Hidden { a: 1 }
			export const limit = 5;
			export const kinds = ["a", "b"] as const;
			export type Kind = (typeof kinds)[number];
			export type Shape = z.infer<typeof schema>;
		`),
		[],
	);
});

test("a missing comment is found, and so is one of another form or with nothing in it", () => {
	const message = (kind: string) => `Say in a comment of the form /** */ what this ${kind} is.`;
	assert.deepEqual(check("export function f() {}"), [`1 ${message("function")}`]);
	assert.deepEqual(check("export async function* f() {}"), [`1 ${message("function")}`]);
	assert.deepEqual(check("export class A {}"), [`1 ${message("class")}`]);
	assert.deepEqual(check("export interface A { a: 1 }"), [`1 ${message("interface")}`]);
	assert.deepEqual(check("export type A = 1;"), [`1 ${message("type")}`]);
	assert.deepEqual(check("export const f = () => 1;"), [`1 ${message("function")}`]);
	assert.deepEqual(check("// Adds.\nexport function f() {}"), [`2 ${message("function")}`]);
	assert.deepEqual(check("/* Adds. */\nexport function f() {}"), [`2 ${message("function")}`]);
	assert.deepEqual(check("/** */\nexport function f() {}"), [`2 ${message("function")}`]);
	assert.deepEqual(check("/** Of a. */\nconst a = 1;\nexport function f() {}"), [
		`3 ${message("function")}`,
	]);
});

test("default exports, and files that only pass on what others export, are found", () => {
	assert.match(check("export default 1;").join(), /no default exports/);
	assert.match(check('export * from "./b.ts"; const a = 1;').join(), /only re-exports/);
	assert.match(
		check('export { b } from "./b.ts";\nexport type { C } from "./c.ts";').join(),
		/^1 /,
	);
	assert.deepEqual(check('export type { B } from "./b.ts"; const a = 1;'), []);
});

test("a neighbour is found only in the way that the bundle follows", () => {
	const places = (text: string) => checkModulePlaces(parseSource("src/lib/a.ts", text)).length;
	assert.equal(places('const a = new URL("./worker.ts", import.meta.url);'), 0);
	assert.equal(places("const a = import.meta.dirname;"), 1);
	assert.equal(places("const a = new URL(name, import.meta.url);"), 1);
	assert.equal(places("const a = createRequire(import.meta.url);"), 1);
});
