/**
 * A legacy server that takes the modern handshake badly, as `--on_discover` says: `exit` ends,
 * `silent` never answers, `stuck` refuses it and hears nothing after it, `noise` writes text,
 * `empty` gives an empty result. Otherwise it refuses the unknown method. Its log lines say
 * what it has heard, so that a test can tell one process from another.
 */
import { serve, text, toolServer } from "./wire/serve.mjs";

const at = process.argv.indexOf("--on_discover");
const reaction = at === -1 ? "refuse" : process.argv[at + 1];
const not_found = { error: '{"code":-32601,"message":"Method not found"}' };

function discovered(call) {
	process.stderr.write("heard server/discover\n");
	switch (reaction) {
		case "exit":
			return process.exit(1);
		case "silent":
			return new Promise(() => {});
		case "stuck":
			process.stdin.removeAllListeners("data").resume();
			return not_found;
		case "noise":
			call.raw("I do not know what that means");
			return not_found;
		case "empty":
			return "{}";
		default:
			return not_found;
	}
}

serve(
	toolServer("eras", [{ name: "pid", call: () => text(String(process.pid)) }], {
		handle: (call) => (call.message.method === "server/discover" ? discovered(call) : undefined),
	}),
);
