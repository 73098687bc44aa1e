/**
 * Moves money once it has heard a PIN, asked for in a round of its own (SEP-2322): `transfer`
 * answers with the arguments of the round that moved it. `rounds` tells the arguments and the
 * answers of every round that it saw. It speaks the modern era only.
 */
import { serve, text, toolServer } from "./wire/serve.mjs";

const pin = {
	method: "elicitation/create",
	params: {
		mode: "form",
		message: "Which PIN?",
		requestedSchema: { type: "object", properties: { pin: { type: "string" } } },
	},
};
const seen = [];

const tools = [
	{
		name: "transfer",
		json: JSON.stringify({
			name: "transfer",
			inputSchema: { type: "object", properties: { amount: { type: "number" } } },
		}),
		call({ message: { params } }) {
			const { arguments: asked, inputResponses } = params;
			seen.push(`${JSON.stringify(asked)} ${inputResponses === undefined ? "asks" : "moves"}`);
			if (inputResponses !== undefined) return text(`moved ${JSON.stringify(asked)}`);
			const asks = {
				resultType: "input_required",
				inputRequests: { pin },
				requestState: "round 1",
			};
			return JSON.stringify(asks);
		},
	},
	{ name: "rounds", call: () => text(seen.join("; ")) },
];

serve(toolServer("transferring", tools));
