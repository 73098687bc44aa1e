import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { tempFolder } from "../../../test/support/temp-folder.ts";
import { WatcherLink } from "./watcher-link.ts";

test("a watcher that keeps ending is replaced so often, and then it is said what is lost", async (t) => {
	// restarts_max
	const clock = new FakeClock();
	const folder = await tempFolder(t, { "ends.mjs": "process.exit(3);" });
	const told: string[] = [];
	const heard: (() => void)[] = [];
	const link = new WatcherLink({
		watcher_path: join(folder, "ends.mjs"),
		ledger_path: join(folder, "ledger"),
		owner_id: "me",
		env: {},
		clock,
		restarts_max: 2,
		log: {
			info: () => undefined,
			warn: (fields, message) => {
				told.push(`${JSON.stringify(fields)} ${message}`);
				heard.shift()?.();
			},
		},
	});
	link.start();
	for (let ends = 1; ends <= 3; ends += 1) {
		if (told.length < ends) await new Promise<void>((resolve) => heard.push(resolve));
		assert.equal(clock.pending, ends <= 2 ? 1 : 0, "after the last one nothing is planned");
		if (ends <= 2) await clock.advance(1_000);
	}
	const again = "the process watcher ended; starting another";
	assert.deepEqual(told, [
		`{"code":3,"signal":null,"restarts":1} ${again}`,
		`{"code":3,"signal":null,"restarts":2} ${again}`,
		'{"code":3,"signal":null,"restarts":3} the process watcher keeps ending; leftovers are swept at the next start only',
	]);
	assert.equal(link.pid, undefined);
	await link.close();
});
