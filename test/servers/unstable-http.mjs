/**
 * A remote server that loses things: its sessions (`forget`), the stream of a call (`resume`
 * breaks it `times` times before the answer), the connection (`cut`). `headers` shows what the
 * last request carried, `counts` what the client did so far. Needs `--http`.
 */
import { serve, text, toolServer } from "./wire/serve.mjs";

const behaviour = toolServer("unstable", [
	{ name: "echo", call: ({ arguments: { text: said } }) => text(String(said)) },
	{ name: "headers", call: () => text(JSON.stringify(behaviour.control.requests.at(-1).headers)) },
	{
		name: "counts",
		call: () => {
			const { created, ended, requests, streams } = behaviour.control;
			return text(JSON.stringify({ created, ended, requests: requests.length, streams }));
		},
	},
	{
		name: "forget",
		call: () => {
			setImmediate(() => behaviour.control.forget());
			return text("forgotten");
		},
	},
	{
		name: "resume",
		call: async (call) => {
			const { session } = call.peer;
			for (let left = call.arguments.times; left > 0; left -= 1) {
				session.prime(call, 10);
				const back = session.resumed(call);
				session.breakStream(call);
				await back;
			}
			return text(`resumed ${call.arguments.times} times`);
		},
	},
	{
		name: "cut",
		call: (call) => {
			call.peer.session.cut(call);
			return new Promise(() => {});
		},
	},
	{
		name: "push",
		call: ({ peer }) => {
			peer.push("notifications/tools/list_changed", "{}");
			return text("pushed");
		},
	},
	{
		// Breaks the GET stream; what is pushed meanwhile is there when it comes back.
		name: "break_get",
		call: ({ peer }) => {
			peer.session.breakGet();
			peer.push("notifications/tools/list_changed", "{}");
			return text("broken");
		},
	},
]);

serve(behaviour);
