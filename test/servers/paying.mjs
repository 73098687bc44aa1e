/**
 * Pays, and writes each payment to a file before it answers, so that a test can count them whatever
 * is killed: `paying.mjs` takes the file from the environment variable PAYMENTS.
 */
import { appendFileSync } from "node:fs";
import { serve, text, toolServer } from "./wire/serve.mjs";

const inputSchema = { type: "object", properties: { key: { type: "string" } }, required: ["key"] };

serve(
	toolServer("paying", [
		{
			name: "pay",
			json: JSON.stringify({ name: "pay", description: "Pays.", inputSchema }),
			call({ arguments: { key } }) {
				appendFileSync(process.env.PAYMENTS, `${key}\n`);
				return text(`paid ${key}`);
			},
		},
	]),
);
