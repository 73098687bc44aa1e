/**
 * A server that was given secrets and is careless with them. SECRETS names its variables. `hold`
 * answers with the SHA-256 of a variable's value, or of what is in the file it has the path of,
 * after `wait_ms`; `leak` writes every value in every form to its standard error and output, in
 * pieces too, and logs it; `fail`, `refuse` and `crash` do that and end in that way.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { serve, text, toolServer } from "./wire/serve.mjs";

const names = (process.env.SECRETS ?? "").split(",").filter((name) => name !== "");
const valueOf = (name) => {
	const value = process.env[name] ?? "";
	return name.endsWith("_FILE") && value !== "" ? readFileSync(value, "utf8") : value;
};
const values = names.map(valueOf);

/** Every way in which a program may write a value. */
function forms(value) {
	const bytes = Buffer.from(value);
	return [
		value,
		JSON.stringify({ value, at: { deep: [value] } }),
		JSON.stringify(JSON.stringify({ value })),
		encodeURIComponent(value),
		new URLSearchParams({ q: value }).toString(),
		bytes.toString("base64"),
		bytes.toString("base64url"),
		Buffer.from(`user:${value}`).toString("base64"),
		Buffer.from(`x:${value}`).toString("base64"),
		bytes.toString("hex"),
		bytes.toString("hex").toUpperCase(),
		`Authorization: Bearer ${value}`,
		`https://user:${value}@example.com/`,
	];
}

/** Everything of every secret, in pieces of a few bytes, so that no write holds a whole one. */
async function leak(log) {
	for (const value of values) {
		for (const form of forms(value)) {
			const line = Buffer.from(`leaking ${form} now\n`);
			for (let at = 0; at < line.length; at += 7) {
				await new Promise((done) => process.stderr.write(line.subarray(at, at + 7), done));
			}
			log?.(form);
		}
		// A line that is longer than what is kept, with a secret where it is cut.
		process.stderr.write(`${"-".repeat(4085)}${value}${value}\n`);
	}
}

const message = () => values.flatMap(forms).join(" ");

serve(
	toolServer("secretive", [
		{
			name: "hold",
			call: async (call) => {
				const { name, wait_ms = 0 } = call.message.params.arguments;
				const value = valueOf(name);
				if (wait_ms > 0) await new Promise((done) => setTimeout(done, wait_ms));
				return text(createHash("sha256").update(value).digest("hex"));
			},
		},
		{
			name: "leak",
			call: async () => {
				await leak();
				return text("done");
			},
		},
		{
			name: "fail",
			call: async () => {
				await leak();
				return `{"content":[{"type":"text","text":${JSON.stringify(message())}}],"isError":true}`;
			},
		},
		{
			name: "refuse",
			call: () => ({ error: JSON.stringify({ code: -32000, message: message() }) }),
		},
		{
			name: "crash",
			call: async () => {
				await leak();
				process.exit(3);
			},
		},
	]),
);
