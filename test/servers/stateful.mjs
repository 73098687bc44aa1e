/**
 * Remembers: `increment` counts per connection and tells subscribers and the log about it.
 * `notified` answers with the notifications the client has sent, `whoami` with the process id,
 * `instance` with a text that no other process says (in namespaces, process ids are the same).
 */
import { randomUUID } from "node:crypto";
import { serve, text, toolServer } from "./wire/serve.mjs";

const instance = randomUUID();
const uri = "counter://value";
const counters = new WeakMap();

function stateOf(peer) {
	const found = counters.get(peer) ?? { value: 0, subscribed: false, notified: [] };
	counters.set(peer, found);
	return found;
}

const tools = [
	{
		name: "increment",
		call: ({ peer }) => {
			const state = stateOf(peer);
			state.value += 1;
			peer.push("notifications/message", `{"level":"info","data":"counter is ${state.value}"}`);
			if (state.subscribed) peer.push("notifications/resources/updated", `{"uri":"${uri}"}`);
			return text(String(state.value));
		},
	},
	{ name: "value", call: ({ peer }) => text(String(stateOf(peer).value)) },
	{ name: "notified", call: ({ peer }) => text(JSON.stringify(stateOf(peer).notified)) },
	{ name: "instance", call: () => text(instance) },
	{ name: "whoami", call: () => text(String(process.pid)) },
];

serve(
	toolServer("stateful", tools, {
		capabilities: '{"tools":{},"resources":{"subscribe":true},"logging":{}}',
		notified: (message, peer) => stateOf(peer).notified.push(message),
		handle({ peer, message: { method, params } }) {
			const state = stateOf(peer);
			switch (method) {
				case "resources/list":
					return `{"resources":[{"uri":"${uri}","name":"counter","mimeType":"text/plain"}]}`;
				case "resources/templates/list":
					return '{"resourceTemplates":[{"uriTemplate":"counter://{name}","name":"counters"}]}';
				case "resources/read":
					return `{"contents":[{"uri":${JSON.stringify(params.uri)},"text":"${state.value}"}]}`;
				case "resources/subscribe":
				case "resources/unsubscribe":
					state.subscribed = method === "resources/subscribe";
					return "{}";
				default:
					return undefined;
			}
		},
	}),
);
