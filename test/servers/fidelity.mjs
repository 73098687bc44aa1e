/**
 * Writes and shows exact bytes. `say` answers with the raw result given as base64, `mirror`
 * with the base64 of the message it received, `odd` with a canned result that holds everything
 * a careless relay damages. `fail` answers with the raw error given as base64, `report` sends
 * progress with unknown members. The list of tools has unknown members too.
 */
import { readFileSync } from "node:fs";
import { serve, text, toolServer } from "./wire/serve.mjs";

// Not named .json, so that no formatter touches its bytes.
const odd = readFileSync(new URL("./odd-result.raw", import.meta.url), "utf8").trimEnd();
const odd_tool =
	'{"x-before": 1.0,"name":"odd","title":"\\u00dcber","description":"Gr\\u00fc\\u00dfe \\/ 日本語",' +
	'"inputSchema":{"type":"object","$defs":{"n":{"const":12345678901234567890}}},"x-after":[ ]}';

serve(
	toolServer("fidelity", [
		{ name: "odd", json: odd_tool, call: () => odd },
		{
			name: "say",
			call: ({ arguments: { base64 } }) => Buffer.from(base64, "base64").toString("utf8"),
		},
		{ name: "mirror", call: ({ bytes }) => text(bytes.toString("base64")) },
		{
			name: "fail",
			call: ({ arguments: { base64 } }) => ({
				error: Buffer.from(base64, "base64").toString("utf8"),
			}),
		},
		{
			name: "report",
			call: (call) => {
				// The token as it was written: a parsed one has lost what JSON.parse loses.
				const [, token] = /"progressToken":("[^"]*"|\d+)/.exec(call.bytes.toString("utf8"));
				call.notify(
					"notifications/progress",
					`{"x-before":1.0,"progressToken":${token},"progress":1.0,"message":"\\u00fc",` +
						'"x-after":12345678901234567890}',
				);
				return text("reported");
			},
		},
	]),
);
