/** Lets every resource be subscribed to; `watched` answers with how many are. */
import { serve, text, toolServer } from "./wire/serve.mjs";

const watched = new Set();
const tools = [{ name: "watched", call: () => text(String(watched.size)) }];
const base = toolServer("accepting", tools);

serve({
	...base,
	capabilities: '{"tools":{},"resources":{"subscribe":true}}',
	handle(call) {
		const { method, params } = call.message;
		switch (method) {
			case "resources/list":
				return '{"resources":[]}';
			case "resources/templates/list":
				return '{"resourceTemplates":[]}';
			case "resources/subscribe":
				watched.add(params.uri);
				return "{}";
			case "resources/unsubscribe":
				watched.delete(params.uri);
				return "{}";
			default:
				return base.handle(call);
		}
	},
});
