/**
 * A process of its own that works on a database until it is done or killed.
 *
 *   store-child.ts count PATH   opens the database, counts a value up, prints it, closes
 *   store-child.ts write PATH   writes sessions for ever; prints the number of each committed one
 */
import { stdout } from "node:process";
import { systemClock } from "../../src/lib/clock.ts";
import { openDatabase } from "../../src/store/database.ts";
import { createRepositories, createWriter } from "../../src/store/repositories.ts";
import { sampleSession } from "./store-samples.ts";

const [, , task, path] = process.argv;
if (path === undefined) throw new Error("a path is needed");
const opened = await openDatabase({ path });
if (!opened.ok) throw new Error(opened.problem.detail);
const database = opened.value;

if (task === "count") {
	const count = await createRepositories(database.connection).meta.count("opened");
	stdout.write(`${count}\n`);
	await database.close();
} else {
	const writer = createWriter({
		database,
		clock: systemClock,
		onTrouble(trouble) {
			throw trouble.error;
		},
	});
	for (let n = 0; ; n += 1) {
		const committed = writer.addDurably((within) =>
			within.sessions.insert(sampleSession(`s${n}`, { client_info: "x".repeat(n % 3000) })),
		);
		void committed.then((ok) => {
			if (ok) stdout.write(`${n}\n`);
		});
		// A few at a time, so that groups of every size are cut off.
		if (n % 7 === 0) await committed;
	}
}
