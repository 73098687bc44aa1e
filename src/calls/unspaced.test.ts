import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { unspacedTerms, unspacedWords } from "./unspaced.ts";

test("a run is its pairs of neighbours and its last character, once each", () => {
	assert.equal(unspacedWords("数据库"), "数据 据库 库");
	assert.equal(unspacedWords("库"), "库");
	assert.equal(unspacedWords("ああああ"), "ああ あ");
	assert.equal(unspacedWords("サーバー: 停止"), "サー ーバ バー ー 停止 止");
});

test("letters next to a run are a word of their own, and others are left as they are", () => {
	assert.equal(unspacedWords("git HTTPエラー503 push"), "HTTP エラ ラー ー 503");
	assert.equal(unspacedWords("did not answer, 503"), "");
	assert.equal(unspacedWords(""), "");
});

test("a word is looked for by its pairs, one character by what begins with it", () => {
	assert.deepEqual(unspacedTerms("数据库"), [
		{ text: "数据", is_beginning: false },
		{ text: "据库", is_beginning: false },
	]);
	assert.deepEqual(unspacedTerms("库"), [{ text: "库", is_beginning: true }]);
	assert.deepEqual(unspacedTerms("エラーcode"), [
		{ text: "エラ", is_beginning: false },
		{ text: "ラー", is_beginning: false },
		{ text: "code", is_beginning: true },
	]);
	assert.equal(unspacedTerms("answer"), undefined);
	assert.equal(unspacedTerms(""), undefined);
});

test("whatever part of a run is looked for, its terms are among the words", () => {
	const character = fc.constantFrom(...Array.from("接続数据库エラー𠮷々ん"));
	const runs = fc.array(character, { minLength: 1, maxLength: 12 });
	fc.assert(
		fc.property(runs, fc.nat(), fc.nat(), fc.string(), (characters, from, length, around) => {
			const start = from % characters.length;
			const part = characters.slice(start, start + 1 + (length % (characters.length - start)));
			const words = unspacedWords(`${around} ${characters.join("")}`).split(" ");
			for (const { text, is_beginning } of unspacedTerms(part.join("")) ?? [])
				assert.ok(
					words.some((word) => (is_beginning ? word.startsWith(text) : word === text)),
					text,
				);
		}),
	);
});
