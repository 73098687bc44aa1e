import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { placeOf } from "./router.ts";
import { quoted, snippetsOf } from "./snippets.ts";

test("a shell reads back every word as it was", () => {
	fc.assert(
		fc.property(fc.stringMatching(/^[^\0]{1,40}$/), (text) => {
			const read = execFileSync("sh", ["-c", `printf %s ${quoted(text)}`]).toString();
			assert.equal(read, Buffer.from(text).toString());
		}),
		{ numRuns: 30 },
	);
});

test("a call can be made from the command line, with curl and with the SDK", () => {
	const [cli, curl, sdk] = snippetsOf(
		"http://x",
		{ server: "time", tool: "it's", args: { zone: "Europe/Paris" } },
		false,
	);
	assert.equal(cli?.text, `moorage call time 'it'\\''s' --args '{"zone":"Europe/Paris"}'`);
	assert.match(curl?.text ?? "", /'http:\/\/x\/api\/servers\/time\/tools\/it/);
	assert.match(sdk?.text ?? "", /new URL\("http:\/\/x\/time\/mcp"\)/);
});

test("places are read from fragments, and odd ones lead somewhere too", () => {
	const place = placeOf("#/servers/a%2Fb/logs?tail=5&q=%25");
	assert.deepEqual(place.parts, ["servers", "a/b", "logs"]);
	assert.equal(place.query.get("q"), "%");
	assert.deepEqual(placeOf("").parts, []);
	assert.deepEqual(placeOf("#/%E0%A4%A").parts, ["%E0%A4%A"]);
});
