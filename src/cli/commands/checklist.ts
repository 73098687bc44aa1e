import { defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { CommandFailure } from "../failure.ts";
import { withGateway } from "../gateway.ts";
import { type Look, printable } from "../output.ts";

const looks: Readonly<Record<string, Look>> = { ok: "green", missing: "yellow", no_go: "red" };
const words: Readonly<Record<string, string>> = { ok: "ok", missing: "missing", no_go: "NO-GO" };

/** `moorage checklist` */
export const checklist_command = defineCommand({
	name: "checklist",
	summary: "whether others may be let in, with the evidence",
	description:
		"The launch checklist of a remote server: each row with what speaks for or against it, and " +
		"what to do. With `profile: public` the gateway does not start while a no-go sign stands. " +
		"Exit code 1 means that one does.",
	args: { server: { description: "only this server", kind: "optional" } },
	options: {},
	examples: [
		{ line: "moorage checklist", meaning: "the gateway and all servers" },
		{ line: "moorage checklist github --json", meaning: "one server, for programs" },
	],
	run: ({ args, options }, context) =>
		withGateway(context, options, async (client) => {
			const { output } = context;
			const query = args.server === undefined ? {} : { server: args.server };
			const { text, value } = await client.request("getChecklist", { query });
			if (options.json) output.raw(text);
			for (const { server, title, status, evidence, next } of options.json ? [] : value.rows) {
				const word = output.look(looks[status] ?? "dim", (words[status] ?? status).padEnd(7));
				const about = server === undefined ? "" : `${server}: `;
				output.line(`${word}  ${printable(about + title)}`);
				output.line(
					`         ${printable(evidence)}${next === undefined ? "" : ` ${printable(next)}`}`,
				);
			}
			// The rows say it already, and programs are given one piece of JSON.
			if (value.no_go > 0 && options.json) return exit_codes.failed;
			if (value.no_go > 0) throw noGo(value.no_go);
			return exit_codes.ok;
		}),
});

function noGo(count: number): CommandFailure {
	return new CommandFailure({
		exit_code: exit_codes.failed,
		code: "no_go",
		message: count === 1 ? "A no-go sign stands." : `${count} no-go signs stand.`,
		next: "Do what it says there before anybody outside is let in.",
	});
}
