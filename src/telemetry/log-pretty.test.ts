import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { formatPretty } from "./log-pretty.ts";

const time = "2026-09-01T12:34:56.789Z";
const clock_time = new Date(time).toTimeString().slice(0, 8);

function pretty(line: object, color = false): string {
	return formatPretty(`${JSON.stringify(line)}\n`, { color });
}

describe("the pretty format", () => {
	it("is the time of day, the level, the message and the fields on one line", () => {
		assert.equal(
			pretty({ level: "warn", time, server: "git", n: 3, message: "a server is slow" }),
			`${clock_time} WARN  a server is slow  server=git n=3\n`,
		);
	});

	it("leaves out fields where there are none", () => {
		assert.equal(pretty({ level: "info", time, message: "ready" }), `${clock_time} INFO  ready\n`);
	});

	it("writes words bare and everything else as JSON", () => {
		assert.match(
			pretty({
				level: "info",
				time,
				path: "/a/b.c",
				said: "two words",
				o: { a: [1] },
				message: "m",
			}),
			/m {2}path=\/a\/b\.c said="two words" o=\{"a":\[1\]\}\n$/,
		);
	});

	it("colours the level and the fields only when asked to", () => {
		const line = { level: "error", time, a: 1, message: "m" };
		assert.equal(pretty(line, true).includes("\u001b[31mERROR\u001b[0m"), true);
		assert.equal(pretty(line, false).includes("\u001b"), false);
	});

	it("hands on what is no JSON object", () => {
		for (const line of ["no json\n", "[1]\n", "null\n"]) {
			assert.equal(formatPretty(line, { color: false }), line);
		}
	});

	it("does not mind members that are missing or odd", () => {
		assert.match(formatPretty("{}", { color: false }), /^--:--:-- UNDEFINED /);
		assert.match(pretty({ level: "info", time: "soon", message: 5 }), /^--:--:-- INFO {2}5\n$/);
	});

	it("never lets a control character through, wherever it stands", () => {
		const nasty = "\u001b[2J\r\n\u0007\u009b31m\u202e";
		const shown = pretty({ level: "info", time, [`k${nasty}`]: nasty, message: nasty });
		assert.doesNotMatch(shown.slice(0, -1), /[\p{Cc}\u202e]/u);
		const property = fc.property(fc.string({ unit: "binary" }), (text) => {
			const line = pretty({ level: "info", time, [text]: text, message: text });
			assert.doesNotMatch(line.slice(0, -1), /[\p{Cc}]/u);
			assert.equal(line.at(-1), "\n");
		});
		fc.assert(property, { numRuns: 200 });
	});
});
