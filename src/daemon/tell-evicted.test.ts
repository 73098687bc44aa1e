import assert from "node:assert/strict";
import { test } from "node:test";
import { QuietLog } from "../../test/support/quiet-log.ts";
import { tellEvicted } from "./tell-evicted.ts";

test("that not all is redacted any more is said at once, and not for every token", () => {
	const log = new QuietLog();
	const tell = tellEvicted(log);
	for (let evicted = 1; evicted <= 15_000; evicted += 1) tell("token", evicted);
	tell("value", 1);
	assert.deepEqual(
		log.lines.map(({ message }) => /^More (tokens|secrets)/.exec(message ?? "")?.[1]),
		["tokens", "tokens", "secrets"],
	);
});
