/** Answers `echo` with the text it was given. The plainest server there is. */
import { serve, text, toolServer } from "./wire/serve.mjs";

const echo_json =
	'{"name":"echo","description":"Says the text again.","inputSchema":{"type":"object",' +
	'"properties":{"text":{"type":"string"}},"required":["text"]}}';

serve(
	toolServer("echo", [
		{ name: "echo", json: echo_json, call: ({ arguments: { text: said } }) => text(String(said)) },
	]),
);
