/**
 * A bookkeeper with tools of every risk, which remembers what it was asked to do: `list_entries`
 * tells, without being counted itself. `hold` answers when `unhold` is called.
 */
import { serve, text, toolServer } from "./wire/serve.mjs";

const done = [];
let release = () => {};

function tool(name, properties, required, annotations, call) {
	const inputSchema = { type: "object", properties, required, additionalProperties: false };
	const json = JSON.stringify({ name, description: `Does ${name}.`, inputSchema, annotations });
	return {
		name,
		json,
		call: (context) => {
			if (call !== undefined) return call(context);
			done.push(`${name} ${JSON.stringify(context.arguments)}`);
			return text(`did ${name}`);
		},
	};
}

const number = { type: "number", minimum: 0 };
const word = { type: "string", minLength: 1 };
const reads = { readOnlyHint: true };
const held = (context) => {
	context.progress(0, 1, "held");
	return new Promise((resolve) => {
		release = () => resolve(text("released"));
	});
};

serve(
	toolServer("ledger", [
		tool("list_entries", {}, [], reads, () => text(done.join("; "))),
		tool("refund", { amount: number, to: word }, ["amount"], undefined),
		tool("delete_entry", { id: word }, ["id"], undefined),
		tool("note", { text: word }, ["text"], { destructiveHint: false }),
		tool("frobnicate", {}, [], undefined),
		tool("hold", {}, [], reads, held),
		tool("unhold", {}, [], reads, () => {
			release();
			return text("ok");
		}),
	]),
);
