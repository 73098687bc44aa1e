/**
 * A server over HTTP+SSE that loses things: its streams (`cut`), or only what it knows of them
 * (`forget`). `hold` never answers; `counts` shows what the client did. Needs `--sse`.
 */
import { serve, text, toolServer } from "./wire/serve.mjs";

const soon = (act) => {
	setImmediate(() => setImmediate(() => act()));
	return text("done");
};

const behaviour = toolServer("unstable-sse", [
	{ name: "echo", call: ({ arguments: { text: said } }) => text(String(said)) },
	{ name: "hold", call: (call) => new Promise(() => call.progress(1, 2, "held")) },
	{ name: "cut", call: () => soon(behaviour.control.cut) },
	{ name: "forget", call: () => soon(behaviour.control.forget) },
	{
		name: "counts",
		call: () => {
			const { opened, headers } = behaviour.control;
			return text(JSON.stringify({ opened, headers }));
		},
	},
]);
serve(behaviour);
