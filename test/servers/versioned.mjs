/**
 * A server of which there are versions, told by its environment: VERSION is what `version`
 * answers, EXTRA the name of one more tool, BROKEN makes every tool fail, DEAD, or a file `dead` in
 * its volume, ends it before its handshake, and so does ENDS when it has run before: with that, the
 * tool `version` ends it. `remember` writes a text into a file of its volume and
 * `recall` reads it; `hold` does so once there is a file `release`.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { serve, text, toolServer } from "./wire/serve.mjs";

const { VERSION = "1", EXTRA, BROKEN, DEAD, ENDS, MOORAGE_VOLUME = "." } = process.env;
const ended = join(MOORAGE_VOLUME, "ended");
const has_ended = ENDS !== undefined && existsSync(ended);
if (DEAD !== undefined || has_ended || existsSync(join(MOORAGE_VOLUME, "dead"))) {
	process.stderr.write("this version does not start\n");
	process.exit(3);
}

const file = join(MOORAGE_VOLUME, "memory.txt");
const broken = '{"content":[{"type":"text","text":"broken"}],"isError":true}';
const extra = EXTRA === undefined ? [] : [{ name: EXTRA, call: () => text("extra") }];

const tools = [
	{
		name: "version",
		call: () => {
			if (ENDS === undefined) return text(VERSION);
			writeFileSync(ended, "");
			process.exit(4);
		},
	},
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
	{
		name: "hold",
		call: async () => {
			while (!existsSync(join(MOORAGE_VOLUME, "release"))) await setTimeout(20);
			return text(`held ${readFileSync(file, "utf8")}`);
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
