/**
 * `npm run matrix`: every feature of the protocol, over every client and every kind of server,
 * through one gateway. `--json` prints the cells alone; `--markdown` prints the README's table,
 * `--write` puts it there, `--check` fails when the README's differs. `--feature`, `--client` and
 * `--server`, each once or more, play a part of it.
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Cell } from "../test/matrix/cell.ts";
import { runMatrix } from "../test/matrix/run.ts";
import { countsOf, markdownTable, markers, textTable, withTable } from "../test/matrix/table.ts";

const readme_path = fileURLToPath(new URL("../README.md", import.meta.url));

const { values } = parseArgs({
	options: {
		json: { type: "boolean" },
		markdown: { type: "boolean" },
		write: { type: "boolean" },
		check: { type: "boolean" },
		feature: { type: "string", multiple: true },
		client: { type: "string", multiple: true },
		server: { type: "string", multiple: true },
	},
});

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** Puts the table into the README, or says that it is not the one that stands there. */
async function keepReadme(cells: readonly Cell[]): Promise<void> {
	const page = await readFile(readme_path, "utf8");
	const wanted = withTable(page, markdownTable(cells));
	if (wanted === undefined) {
		say(`README.md has lost its markers ${markers.join(" and ")}.`);
		process.exitCode = 1;
	} else if (values.write === true) {
		await writeFile(readme_path, wanted);
	} else if (wanted !== page) {
		say("The README's table is out of date: run `npm run matrix -- --write`.");
		process.exitCode = 1;
	}
}

const cells = await runMatrix(
	{
		features: values.feature ?? [],
		clients: values.client ?? [],
		servers: values.server ?? [],
	},
	say,
);
const { passed, failed, ruled_out } = countsOf(cells);
if (values.json === true) print(JSON.stringify({ cells }));
else if (values.markdown === true) print(markdownTable(cells));
else {
	print(textTable(cells));
	print(`\n${ruled_out} ruled out by the specification\n${passed} passed, ${failed} failed`);
}
if (failed > 0 || passed === 0) process.exitCode = 1;
if (values.write === true || values.check === true) await keepReadme(cells);
