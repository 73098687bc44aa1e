/** What the tools of the conformance fixtures ask of the client. */

/** A form for the user. */
export const elicit = (message, requestedSchema) => ({
	method: "elicitation/create",
	params: { message, requestedSchema },
});

/** A prompt for the client's model. */
export const sample = (prompt) => ({
	method: "sampling/createMessage",
	params: {
		messages: [{ role: "user", content: { type: "text", text: prompt } }],
		maxTokens: 100,
	},
});

export const list_roots = { method: "roots/list", params: {} };

/** A form with one text that has to be filled in. */
export const single_field = (name) => ({
	type: "object",
	properties: { [name]: { type: "string" } },
	required: [name],
});

export const ask_name = elicit("What is your name?", single_field("name"));

export const ask_confirmation = elicit("Please confirm", {
	type: "object",
	properties: { ok: { type: "boolean" } },
	required: ["ok"],
});

export const person_schema = {
	type: "object",
	properties: {
		username: { type: "string", description: "Your name." },
		email: { type: "string", description: "Your mail address." },
	},
	required: ["username", "email"],
};

export const ask_defaults = elicit("Please review the form.", {
	type: "object",
	properties: {
		name: { type: "string", description: "Your name.", default: "John Doe" },
		age: { type: "integer", description: "Your age.", default: 30 },
		score: { type: "number", description: "Your score.", default: 95.5 },
		status: {
			type: "string",
			description: "Your status.",
			enum: ["active", "inactive", "pending"],
			default: "active",
		},
		verified: { type: "boolean", description: "Whether you are verified.", default: true },
	},
	required: [],
});

const titled = (noun) =>
	["First", "Second", "Third"].map((word, index) => ({
		const: `value${index + 1}`,
		title: `${word} ${noun}`,
	}));
const plain = ["option1", "option2", "option3"];

export const ask_enums = elicit("Please choose.", {
	type: "object",
	properties: {
		untitledSingle: { type: "string", description: "Choose one.", enum: plain },
		titledSingle: { type: "string", description: "Choose one.", oneOf: titled("Option") },
		legacyEnum: {
			type: "string",
			description: "Choose one.",
			enum: ["opt1", "opt2", "opt3"],
			enumNames: ["Option One", "Option Two", "Option Three"],
		},
		untitledMulti: {
			type: "array",
			description: "Choose some.",
			minItems: 1,
			maxItems: 3,
			items: { type: "string", enum: plain },
		},
		titledMulti: {
			type: "array",
			description: "Choose some.",
			minItems: 1,
			maxItems: 3,
			items: { anyOf: titled("Choice") },
		},
	},
	required: [],
});
