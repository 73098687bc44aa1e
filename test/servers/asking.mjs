/**
 * Asks the client in the middle of a call: `elicit`, `elicit_url`, `sample` and `roots` answer
 * with what the client said. `outside` asks outside of any call, `withdraw` takes its question
 * back, `ping` pings the client, `capabilities` tells what the client offered.
 */
import { serve, text, toolServer } from "./wire/serve.mjs";

const form = {
	mode: "form",
	message: "What is your name?",
	requestedSchema: { type: "object", properties: { name: { type: "string" } } },
};
const url = {
	mode: "url",
	message: "Please sign in.",
	url: "https://example.com/sign-in",
	elicitationId: "elicitation-1",
};
const sampling = {
	messages: [{ role: "user", content: { type: "text", text: "Say hello." } }],
	maxTokens: 16,
};

async function answered(asked) {
	const { result, error } = await asked;
	return text(JSON.stringify(error === undefined ? { result } : { error }));
}

const tools = [
	{
		name: "elicit",
		call: (call) => answered(call.ask("elicitation/create", JSON.stringify(form))),
	},
	{
		name: "elicit_url",
		call: (call) => answered(call.ask("elicitation/create", JSON.stringify(url))),
	},
	{
		name: "sample",
		call: (call) => answered(call.ask("sampling/createMessage", JSON.stringify(sampling))),
	},
	{ name: "roots", call: (call) => answered(call.ask("roots/list", "{}")) },
	{ name: "ping", call: (call) => answered(call.ask("ping", "{}")) },
	{
		name: "outside",
		call: ({ peer }) => {
			void peer.ask("roots/list", "{}").then(({ result }) => {
				peer.push("notifications/message", `{"level":"info","data":${JSON.stringify(result)}}`);
			});
			return text("asked outside of this call");
		},
	},
	{
		name: "withdraw",
		call: (call) => {
			const asked = call.ask("elicitation/create", JSON.stringify(form));
			call.notify("notifications/cancelled", `{"requestId":"${asked.id}","reason":"too late"}`);
			return new Promise((resolve) => setImmediate(() => resolve(text("withdrawn"))));
		},
	},
	{
		name: "capabilities",
		call: ({ peer }) => text(JSON.stringify(peer.client_capabilities ?? {})),
	},
];

serve(toolServer("asking", tools));
