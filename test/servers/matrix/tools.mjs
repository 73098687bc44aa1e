/**
 * The tools of the matrix servers, written once for both eras. A tool is `{ description,
 * inputSchema?, more?, step(turn) }`; `step` gives a result, or `{ ask, state? }`: questions by
 * key that the client answers before it is called again with `answers` and the `state` it left.
 *
 * A turn is `{ args, answers, state, signal, log(level, text), progress(number, total),
 * changed(kind), updated(uri) }`. How any of it travels is the business of the era.
 */
import { once } from "node:events";

const text = (value) => ({ type: "text", text: value });
const says = (value) => ({ content: [text(value)] });
const schema = (properties = {}) => ({ type: "object", properties });
const string = { type: "string" };

/** A tool that asks everything at once and tells what it was answered. */
const asks = (description, questions) => ({
	description,
	step: ({ answers }) =>
		answers === undefined ? { ask: questions } : says(JSON.stringify(answers)),
});

const form = (message) => ({
	method: "elicitation/create",
	params: {
		mode: "form",
		message,
		requestedSchema: { ...schema({ name: string }), required: ["name"] },
	},
});

const sample = (prompt, more = {}) => ({
	method: "sampling/createMessage",
	params: {
		messages: [{ role: "user", content: text(prompt) }],
		maxTokens: 100,
		...more,
	},
});

const weather = { name: "weather", inputSchema: schema({ city: string }) };

const added = new Set();
const moments = new Map();

/** Something that calls wait for, by its key: a promise with its resolver. */
function moment(key) {
	if (!moments.has(key)) moments.set(key, Promise.withResolvers());
	return moments.get(key);
}

const big_bytes = 5 * 1024 * 1024;

const fixed = {
	echo: {
		description: "Says the text again.",
		inputSchema: schema({ text: string }),
		step: ({ args }) => says(args.text),
	},
	add: {
		description: "Adds two numbers.",
		inputSchema: schema({ a: { type: "number" }, b: { type: "number" } }),
		more: {
			outputSchema: { ...schema({ sum: { type: "number" } }), required: ["sum"] },
		},
		step: ({ args: { a, b } }) => ({
			...says(String(a + b)),
			structuredContent: { sum: a + b },
		}),
	},
	fail: {
		description: "Fails.",
		step: () => ({ ...says("It failed."), isError: true }),
	},
	count: {
		description: "Reports progress, each step when the one before was seen.",
		inputSchema: schema({ steps: { type: "number" }, key: string }),
		async step({ args, progress }) {
			for (let step = 1; step <= args.steps; step += 1) {
				await progress(step, args.steps);
				// SDK clients drop what arrives in one piece with the result.
				await moment(`${args.key} ${step}`).promise;
			}
			return says(`${args.steps} steps`);
		},
	},
	seen: {
		description: "Says that a step was seen.",
		inputSchema: schema({ key: string, step: { type: "number" } }),
		step({ args }) {
			moment(`${args.key} ${args.step}`).resolve();
			return says("noted");
		},
	},
	wait: {
		description: "Never answers; notes when it is cancelled.",
		inputSchema: schema({ key: string }),
		async step({ args, signal, progress }) {
			await progress(1, 2);
			if (!signal.aborted) await once(signal, "abort");
			moment(args.key).resolve();
			return says("cancelled");
		},
	},
	was_cancelled: {
		description: "Answers once the call of that key was cancelled.",
		inputSchema: schema({ key: string }),
		async step({ args }) {
			await moment(args.key).promise;
			return says("yes");
		},
	},
	add_tool: {
		description: "Adds a tool and announces it.",
		inputSchema: schema({ name: string }),
		async step({ args, changed }) {
			added.add(args.name);
			await changed("tools");
			return says("added");
		},
	},
	remove_tool: {
		description: "Removes a tool and announces it.",
		inputSchema: schema({ name: string }),
		async step({ args, changed }) {
			added.delete(args.name);
			await changed("tools");
			return says("removed");
		},
	},
	touch: {
		description: "Changes the watched resource.",
		async step({ updated }) {
			await updated("matrix://watched");
			return says("touched");
		},
	},
	talk: {
		description: "Logs at three levels.",
		inputSchema: schema({ key: string }),
		async step({ args, log }) {
			for (const level of ["debug", "info", "warning"]) await log(level, args.key);
			return says("talked");
		},
	},
	ask_form: asks("Asks for a name.", { form: form("Your name?") }),
	ask_url: asks("Asks the person to visit a page.", {
		url: {
			method: "elicitation/create",
			params: {
				mode: "url",
				message: "Please sign in.",
				url: "https://example.com/sign-in",
			},
		},
	}),
	ask_model: asks("Asks the client's model.", { model: sample("Say hello.") }),
	ask_model_with_tools: asks("Asks the client's model, which may use a tool.", {
		model: sample("What is the weather?", { tools: [weather], toolChoice: { mode: "auto" } }),
	}),
	ask_roots: asks("Asks for the roots.", { roots: { method: "roots/list", params: {} } }),
	ask_twice: {
		description: "Asks for a name, then the model and a second name at once.",
		step({ answers, state }) {
			if (answers === undefined) return { ask: { first: form("First?") }, state: { round: 1 } };
			if (state?.round === 1) {
				const first = answers.first.content.name;
				const ask = { second: form("Second?"), model: sample(`Greet ${first}.`) };
				return { ask, state: { round: 2, first } };
			}
			return says(JSON.stringify({ first: state.first, ...answers }));
		},
	},
	clock: {
		description: "Shows a clock.",
		more: { _meta: { ui: { resourceUri: "ui://matrix/clock" } } },
		step: () => says("tick"),
	},
	clock_refresh: {
		description: "For the clock alone.",
		more: { _meta: { ui: { resourceUri: "ui://matrix/clock", visibility: ["app"] } } },
		step: () => says("tock"),
	},
	big: {
		description: "Answers with five megabytes.",
		step: () => says("x".repeat(big_bytes)),
	},
	job: {
		description: "A job that may run as a task.",
		inputSchema: schema({ label: string }),
		more: { execution: { taskSupport: "optional" } },
		step: ({ args }) => says(`done ${args.label}`),
	},
	crash: {
		description: "Ends the process.",
		step: () => process.exit(3),
	},
};

const added_tool = { description: "Added.", step: () => says("I was added.") };

/** The tool of that name. */
export function toolOf(name) {
	if (Object.hasOwn(fixed, name)) return fixed[name];
	return added.has(name) ? added_tool : undefined;
}

/** The tools as they are listed. */
export function listTools() {
	const listed = ([name, { description, inputSchema, more }]) => ({
		name,
		description,
		inputSchema: inputSchema ?? schema(),
		...more,
	});
	const extra = [...added].sort().map((name) => [name, added_tool]);
	return [...Object.entries(fixed), ...extra].map(listed);
}
