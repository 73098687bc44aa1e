/**
 * What the conformance fixtures offer besides tools: the names and texts that the scenarios of
 * the official suite look for. Both eras serve the same content.
 */
import { isThere } from "./changes.mjs";

/** A picture of one blue pixel. */
export const png =
	"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgaPgPAAIDAYAkYfWXAAAAAElFTkSuQmCC";

/** One silent sample of sound. */
export const wav = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQIAAAAAAA==";

export const text = (value) => ({ type: "text", text: value });
export const image = { type: "image", data: png, mimeType: "image/png" };
export const embedded = (uri, mimeType, value) => ({
	type: "resource",
	resource: { uri, mimeType, text: value },
});

export const resources = [
	{
		uri: "test://static-text",
		name: "static-text",
		description: "A text that never changes.",
		mimeType: "text/plain",
	},
	{
		uri: "test://static-binary",
		name: "static-binary",
		description: "A picture that never changes.",
		mimeType: "image/png",
	},
	{
		uri: "test://watched-resource",
		name: "watched-resource",
		description: "A text that can be watched.",
		mimeType: "text/plain",
	},
];

export const templates = [
	{
		uriTemplate: "test://template/{id}/data",
		name: "template",
		description: "Data with an id of your choice.",
		mimeType: "application/json",
	},
];

/** The contents of a resource, or undefined where there is none. */
export function readResource(uri) {
	const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
	if (id !== undefined) {
		const data = { id, templateTest: true, data: `Data for ID: ${id}` };
		return [{ uri, mimeType: "application/json", text: JSON.stringify(data) }];
	}
	const known = {
		"test://static-text": {
			mimeType: "text/plain",
			text: "This is the content of the static text resource.",
		},
		"test://static-binary": { mimeType: "image/png", blob: png },
		"test://watched-resource": { mimeType: "text/plain", text: "Watched." },
	}[uri];
	return known === undefined ? undefined : [{ uri, ...known }];
}

const user = (content) => ({ role: "user", content });
const required = (name, description) => ({ name, description, required: true });

/**
 * Prompts by name: `{ description, arguments, messages(values) }`. One that needs an answer of
 * the user first has a `question` and gets it as its second argument.
 */
export const prompts = {
	test_simple_prompt: {
		description: "A prompt without arguments.",
		messages: () => [user(text("This is a simple prompt for testing."))],
	},
	test_prompt_with_arguments: {
		description: "A prompt with two arguments.",
		arguments: [required("arg1", "The first."), required("arg2", "The second.")],
		messages: ({ arg1, arg2 }) => [
			user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
		],
	},
	test_prompt_with_embedded_resource: {
		description: "A prompt that embeds a resource.",
		arguments: [required("resourceUri", "The resource to embed.")],
		messages: ({ resourceUri }) => [
			user(embedded(resourceUri, "text/plain", "Embedded resource content for testing.")),
			user(text("Please process the embedded resource above.")),
		],
	},
	test_prompt_with_image: {
		description: "A prompt with a picture.",
		messages: () => [user(image), user(text("Please analyze the image above."))],
	},
	test_sometimes: {
		description: "A prompt that comes and goes.",
		messages: () => [user(text("Here I am."))],
	},
	test_input_required_result_prompt: {
		description: "A prompt that asks the user for a context first.",
		question: {
			user_context: {
				method: "elicitation/create",
				params: {
					message: "What context should the prompt use?",
					requestedSchema: {
						type: "object",
						properties: { context: { type: "string" } },
						required: ["context"],
					},
				},
			},
		},
		messages: (_values, { user_context }) => [
			user(text(`Prompt with context: ${user_context?.content?.context}`)),
		],
	},
};

/** The prompts as they are listed. */
export function listPrompts() {
	const listed = Object.entries(prompts).map(([name, prompt]) => ({
		name,
		description: prompt.description,
		...(prompt.arguments !== undefined && { arguments: prompt.arguments }),
	}));
	return listed.filter(({ name }) => name !== "test_sometimes" || isThere("prompts"));
}

export const completion = { completion: { values: ["paris", "park"], total: 2, hasMore: false } };
