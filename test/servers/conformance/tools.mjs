/**
 * The tools of the conformance fixtures, written once for both eras. A tool is
 * `{ description, inputSchema?, step(turn) }`; `step` gives a result, or `{ ask, state? }`: the
 * questions that the client has to answer first, by key. It is then called again with their
 * `answers` and the `state` it left.
 *
 * A turn is `{ args, answers, state, capabilities, log(text), progress(number), changed(kind),
 * fail(code, message, data) }`. How questions reach the client is the business of the era.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isThere, toggle } from "./changes.mjs";
import { embedded, image, text, wav } from "./content.mjs";
import {
	ask_confirmation,
	ask_defaults,
	ask_enums,
	ask_name,
	elicit,
	list_roots,
	person_schema,
	sample,
	single_field,
} from "./questions.mjs";

const say = (...content) => ({ content });
const says = (value) => say(text(value));
const no_arguments = { type: "object", properties: {} };
const one_argument = (name, description) => ({
	type: "object",
	properties: { [name]: { type: "string", description } },
	required: [name],
});

/** Between two notifications of one call, so that a client can tell them apart. */
const pace_ms = 50;

/** The outcome of an elicitation in the words of the scenarios. */
const outcome = (intro, answer) =>
	says(`${intro}: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`);

/** A tool that asks one thing and tells what was answered. */
const asks = (description, key, question, tell, inputSchema = no_arguments) => ({
	description,
	inputSchema,
	step({ args, answers }) {
		const answer = answers?.[key];
		return answer === undefined ? { ask: { [key]: question(args) } } : tell(answer);
	},
});

const accepted = (answer, field) =>
	answer?.action === "accept" ? answer.content?.[field] : undefined;

const contents = {
	test_simple_text: {
		description: "Answers with a text.",
		step: () => says("This is a simple text response for testing."),
	},
	test_image_content: {
		description: "Answers with a picture.",
		step: () => say(image),
	},
	test_audio_content: {
		description: "Answers with a sound.",
		step: () => say({ type: "audio", data: wav, mimeType: "audio/wav" }),
	},
	test_embedded_resource: {
		description: "Answers with an embedded resource.",
		step: () =>
			say(
				embedded("test://embedded-resource", "text/plain", "This is an embedded resource content."),
			),
	},
	test_multiple_content_types: {
		description: "Answers with a text, a picture and a resource.",
		step: () =>
			say(
				text("Multiple content types test:"),
				image,
				embedded(
					"test://mixed-content-resource",
					"application/json",
					'{"test":"data","value":123}',
				),
			),
	},
	test_error_handling: {
		description: "Always fails.",
		step: () => ({
			...says("This tool intentionally returns an error for testing"),
			isError: true,
		}),
	},
	json_schema_2020_12_tool: {
		description: "Has a schema that uses much of JSON Schema 2020-12.",
		inputSchema: {
			$schema: "https://json-schema.org/draft/2020-12/schema",
			type: "object",
			$defs: {
				address: {
					$anchor: "addressDef",
					type: "object",
					properties: { street: { type: "string" }, city: { type: "string" } },
				},
			},
			properties: {
				name: { type: "string" },
				address: { $ref: "#/$defs/address" },
				contactMethod: { type: "string", enum: ["phone", "email"] },
				phone: { type: "string" },
				email: { type: "string" },
			},
			allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
			if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
			then: { required: ["phone"] },
			else: { required: ["email"] },
			additionalProperties: false,
		},
		step: ({ args }) => says(JSON.stringify(args)),
	},
	test_x_mcp_header: {
		description: "Has an argument that is mirrored into a header.",
		inputSchema: {
			type: "object",
			properties: {
				region: { type: "string", description: "Mirrored.", "x-mcp-header": "Region" },
				level: { type: "integer", description: "Not mirrored." },
			},
		},
		step: ({ args }) => says(`region=${args.region ?? "none"}`),
	},
};

const reports = {
	test_tool_with_logging: {
		description: "Logs three times.",
		async step({ log }) {
			await log("Tool execution started");
			await sleep(pace_ms);
			await log("Tool processing data");
			await sleep(pace_ms);
			await log("Tool execution completed");
			return says("Logged three times.");
		},
	},
	test_logging_tool: {
		description: "Logs once, if the client wants to hear it.",
		async step({ log }) {
			await log("Logged.");
			return says("Done.");
		},
	},
	test_tool_with_progress: {
		description: "Reports progress three times.",
		async step({ progress }) {
			await progress(0);
			await sleep(pace_ms);
			await progress(50);
			await sleep(pace_ms);
			await progress(100);
			return says("Reported three times.");
		},
	},
	test_streaming_elicitation: {
		description: "Reports progress on the response stream and asks nothing.",
		async step({ progress }) {
			await progress(50);
			return says("Streamed.");
		},
	},
	test_trigger_tool_change: {
		description: "Adds a tool, or takes it away again, and says so.",
		async step({ changed }) {
			toggle("tools");
			await changed("tools");
			return says("Changed.");
		},
	},
	test_trigger_prompt_change: {
		description: "Adds a prompt, or takes it away again, and says so.",
		async step({ changed }) {
			toggle("prompts");
			await changed("prompts");
			return says("Changed.");
		},
	},
	test_sometimes: {
		description: "Comes and goes.",
		step: () => says("Here I am."),
	},
	test_reconnection: {
		description: "Says something at once and answers a little later.",
		async step({ log }) {
			await log("Come back later.");
			await sleep(2 * pace_ms);
			return says("Here is the answer.");
		},
	},
	test_missing_capability: {
		description: "Cannot work for a client without sampling.",
		step({ capabilities, fail }) {
			if (capabilities.sampling !== undefined) return says("Sampling is there.");
			const requiredCapabilities = { sampling: {} };
			return fail(-32021, "The client has to support sampling.", { requiredCapabilities });
		},
	},
};

const questions = {
	test_sampling: asks(
		"Has the client's model answer a prompt.",
		"sampled",
		({ prompt }) => sample(prompt),
		(answer) => says(`LLM response: ${answer.content?.text}`),
		one_argument("prompt", "What to ask the model."),
	),
	test_elicitation: asks(
		"Asks the user who they are.",
		"person",
		({ message }) => elicit(message, person_schema),
		(answer) => outcome("User response", answer),
		one_argument("message", "What to show the user."),
	),
	test_elicitation_sep1034_defaults: asks(
		"Asks the user with a form that has defaults.",
		"form",
		() => ask_defaults,
		(answer) => outcome("Elicitation completed", answer),
	),
	test_elicitation_sep1330_enums: asks(
		"Asks the user with every form of choice there is.",
		"form",
		() => ask_enums,
		(answer) => outcome("Elicitation completed", answer),
	),
	test_input_required_result_elicitation: {
		description: "Asks the user for a name.",
		step({ answers }) {
			const name = accepted(answers?.user_name, "name");
			return typeof name === "string" ? says(`Hello, ${name}!`) : { ask: { user_name: ask_name } };
		},
	},
	test_input_required_result_sampling: asks(
		"Has the client's model answer a question.",
		"capital_question",
		() => sample("What is the capital of France?"),
		(answer) => says(`The model says: ${answer.content?.text}`),
	),
	test_input_required_result_list_roots: asks(
		"Asks for the client's roots.",
		"client_roots",
		() => list_roots,
		(answer) => says(`Roots: ${answer.roots?.map(({ uri }) => uri).join(", ")}`),
	),
};

const rounds = {
	test_input_required_result_request_state: {
		description: "Asks for a confirmation and keeps a state.",
		step({ answers, state }) {
			if (state?.kind !== "request-state" || answers?.confirm === undefined) {
				return { ask: { confirm: ask_confirmation }, state: { kind: "request-state" } };
			}
			return says("state-ok");
		},
	},
	test_input_required_result_tampered_state: {
		description: "Asks for a confirmation and trusts no state but its own.",
		step({ answers, state }) {
			if (state?.kind !== "tampered-state" || answers?.confirm === undefined) {
				return { ask: { confirm: ask_confirmation }, state: { kind: "tampered-state" } };
			}
			return says("integrity-ok");
		},
	},
	test_input_required_result_multiple_inputs: {
		description: "Asks three things at once.",
		step({ answers, state }) {
			if (state === undefined || answers?.client_roots === undefined) {
				const ask = {
					user_name: ask_name,
					greeting: sample("Generate a greeting"),
					client_roots: list_roots,
				};
				return { ask, state: { kind: "multiple-inputs" } };
			}
			const { user_name, greeting, client_roots } = answers;
			const name = accepted(user_name, "name");
			return says(`${greeting?.content?.text} ${name}: ${client_roots.roots?.length} roots`);
		},
	},
	test_input_required_result_multi_round: {
		description: "Asks twice, one thing after the other.",
		step({ answers, state }) {
			if (state?.round === 1 && answers?.step1 !== undefined) {
				const name = accepted(answers.step1, "name");
				const step2 = elicit("Step 2: What is your favorite color?", single_field("color"));
				return { ask: { step2 }, state: { round: 2, name } };
			}
			if (state?.round === 2 && answers?.step2 !== undefined) {
				return says(`${state.name} likes ${accepted(answers.step2, "color")}.`);
			}
			const step1 = elicit("Step 1: What is your name?", single_field("name"));
			return { ask: { step1 }, state: { round: 1 } };
		},
	},
	test_input_required_result_capabilities: {
		description: "Asks only for what the client can do.",
		step({ answers, capabilities }) {
			if (answers !== undefined) return says("Answered.");
			const possible = {
				...(capabilities.elicitation !== undefined && { user_name: ask_name }),
				...(capabilities.sampling !== undefined && { greeting: sample("Generate a greeting") }),
				...(capabilities.roots !== undefined && { client_roots: list_roots }),
			};
			return Object.keys(possible).length === 0
				? says("Nothing can be asked of this client.")
				: { ask: possible };
		},
	},
};

/** Every tool by its name. */
export const tools = { ...contents, ...reports, ...questions, ...rounds };

/** The tools as they are listed. */
export function listTools() {
	const listed = Object.entries(tools).map(([name, tool]) => ({
		name,
		description: tool.description,
		inputSchema: tool.inputSchema ?? no_arguments,
	}));
	return listed.filter(({ name }) => name !== "test_sometimes" || isThere("tools"));
}
