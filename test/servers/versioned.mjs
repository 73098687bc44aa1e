/**
 * A server of which there are versions, told by its environment: VERSION is what `version`
 * answers, EXTRA the name of one more tool, BROKEN makes every tool fail, DEAD ends it before its
 * handshake. `remember` writes a text into a file of its volume and `recall` reads it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { serve, text, toolServer } from "./wire/serve.mjs";

const { VERSION = "1", EXTRA, BROKEN, DEAD, MOORAGE_VOLUME = "." } = process.env;
if (DEAD !== undefined) {
	process.stderr.write("this version does not start\n");
	process.exit(3);
}

const file = join(MOORAGE_VOLUME, "memory.txt");
const broken = '{"content":[{"type":"text","text":"broken"}],"isError":true}';
const extra = EXTRA === undefined ? [] : [{ name: EXTRA, call: () => text("extra") }];

const tools = [
	{ name: "version", call: () => text(VERSION) },
	{
		name: "remember",
		call: ({ message }) => {
			writeFileSync(file, message.params.arguments.text);
			return text("written");
		},
	},
	{
		name: "recall",
		call: () => {
			try {
				return text(readFileSync(file, "utf8"));
			} catch {
				return text("nothing");
			}
		},
	},
	...extra,
];

serve(
	toolServer(
		"versioned",
		tools.map((tool) => ({ ...tool, call: BROKEN === undefined ? tool.call : () => broken })),
	),
);
