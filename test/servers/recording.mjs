/**
 * Writes down every call it executes, in the file that MOORAGE_TEST_LEDGER names, before it does
 * anything else. `work` answers after `ms` with the caller's `owner` and `bytes` of text that is
 * made of it; `ask` puts a question to that caller in between; `keep` leaves the first caller's
 * name in the volume and says whose name it finds there.
 */
import { randomUUID } from "node:crypto";
import { appendFileSync, linkSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { serve, text, toolServer } from "./wire/serve.mjs";

const ledger = process.env["MOORAGE_TEST_LEDGER"];
const form = { type: "object", properties: { name: { type: "string" } } };

function execute({ arguments: { id } }) {
	appendFileSync(ledger, `${id}\n`);
}

/** Whole or not at all, whenever this process is killed. */
function keep(owner) {
	const path = join(process.env["MOORAGE_VOLUME"], "canary");
	const draft = `${path}-${randomUUID()}`;
	writeFileSync(draft, owner);
	try {
		linkSync(draft, path);
	} catch (error) {
		if (error.code !== "EEXIST") throw error;
	}
	return readFileSync(path, "utf8");
}

const tools = [
	{
		name: "work",
		call: async (call) => {
			execute(call);
			const { id, owner, ms, bytes } = call.arguments;
			call.progress(0, 1, owner);
			if (ms > 0) await sleep(ms);
			return text(`${id} ${owner.repeat(Math.ceil(bytes / owner.length))}`);
		},
	},
	{
		name: "keep",
		call: (call) => {
			execute(call);
			const { id, owner } = call.arguments;
			return text(`${id} ${keep(owner)}`);
		},
	},
	{
		name: "ask",
		call: async (call) => {
			execute(call);
			const { id, owner } = call.arguments;
			const params = { mode: "form", message: owner, requestedSchema: form };
			const { result, error } = await call.ask("elicitation/create", JSON.stringify(params));
			return text(`${id} ${error?.message ?? result.content?.name ?? result.action}`);
		},
	},
];

serve(toolServer("recording", tools));
