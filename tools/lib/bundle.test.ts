import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { inAscii } from "./bundle.ts";

test("a program in ASCII does what it did with other characters", () => {
	const code = [
		"[",
		'"caf\u00e9 \u2026 \u{1f680}",',
		"`\u201c${1 + 1}\u201d`,",
		'/^[\u2570\u251c]\u2500+$/.test("\u251c\u2500\u2500"),',
		'/^\u{1f680}$/u.test("\u{1f680}"),',
		"] // \u2026",
	].join("\n");
	const ascii = inAscii(code);
	assert.match(ascii, /^[\0-\x7f]*$/);
	assert.equal(
		JSON.stringify(runInNewContext(ascii)),
		JSON.stringify(["caf\u00e9 \u2026 \u{1f680}", "\u201c2\u201d", true, true]),
	);
	assert.equal(inAscii(ascii), ascii);
});

test("a raw template that would change is refused", () => {
	assert.throws(() => inAscii("String.raw`\u2026`"), /raw template/);
});
