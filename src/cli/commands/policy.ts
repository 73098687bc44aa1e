import type { PolicyAnswer, PolicyReport } from "../../admin/contracts/policy.ts";
import { defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { withGateway } from "../gateway.ts";
import { type Look, type Output, printable } from "../output.ts";

const looks: Readonly<Record<string, Look>> = {
	allow: "green",
	ask: "yellow",
	limit: "yellow",
	deny: "red",
};

/** `moorage policy` */
export const policy_command = defineCommand({
	name: "policy",
	summary: "the rules, and what they say of a call",
	description:
		"Shows the rules and the risk class of every known tool, or tells whether somebody may make " +
		"a call with these arguments, and why: what every check and every rule says. No call is " +
		"made and none is counted.",
	args: {
		action: { description: "`ls` or `test`", kind: "required" },
		server: { description: "for `test`: name of the server", kind: "optional" },
		tool: { description: "for `test`: name of the tool", kind: "optional" },
	},
	options: {
		args: { flags: "--args <json>", description: "arguments, a JSON object", kind: "value" },
		user: { flags: "--user <name>", description: "who calls: ana, or acme/ana", kind: "value" },
		role: { flags: "--role <name>", description: "a role they have", kind: "list" },
		scope: { flags: "--scope <name>", description: "a scope their token has", kind: "list" },
		client: {
			flags: "--client <id>",
			description: "their client, as authenticated",
			kind: "value",
		},
		endpoint: {
			flags: "--endpoint <name>",
			description: "the address it comes in at",
			kind: "value",
		},
	},
	examples: [
		{ line: "moorage policy ls", meaning: "rules, and tools with their risk" },
		{
			line: "moorage policy test billing refund --user acme/ana --args '{\"amount\": 500}'",
			meaning: "may Ana?",
		},
	],
	run: ({ args, options }, context) =>
		withGateway(context, options, async (client) => {
			const { output } = context;
			if (args.action === "ls") {
				const { text, value } = await client.request("getPolicy", {});
				if (options.json) output.raw(text);
				else printPolicy(value, output);
				return exit_codes.ok;
			}
			if (args.action !== "test" || args.server === undefined || args.tool === undefined) {
				const next = "Write `moorage policy ls`, or `moorage policy test SERVER TOOL`.";
				throw usageFailure("That is not what `moorage policy` does.", next);
			}
			const question = {
				server: args.server,
				tool: args.tool,
				endpoint: options.endpoint,
				arguments: argumentsOf(options.args),
				principal: principalOf(options),
			};
			const body = JSON.stringify(question);
			const { text, value } = await client.request("testPolicy", { body });
			if (options.json) output.raw(text);
			else printAnswer(value, output);
			return exit_codes.ok;
		}),
});

interface Who {
	readonly user: string | undefined;
	readonly client: string | undefined;
	readonly role: readonly string[];
	readonly scope: readonly string[];
}

/** Undefined where nothing was said of who calls. */
function principalOf({ user, client, role, scope }: Who): object | undefined {
	if (user === undefined && client === undefined && role.length + scope.length === 0) {
		return undefined;
	}
	const [first, second] = user?.split("/", 2) ?? [];
	return {
		...(second === undefined ? { user: first } : { tenant: first, user: second }),
		client,
		roles: role,
		...(scope.length > 0 && { scopes: scope }),
	};
}

function argumentsOf(text: string | undefined): unknown {
	if (text === undefined) return {};
	try {
		return JSON.parse(text) as unknown;
	} catch {
		throw usageFailure("--args is not JSON.", "Write for example --args '{\"a\": 1}'.");
	}
}

function printPolicy({ default: by_default, loops, rules, tools }: PolicyReport, output: Output) {
	const rows = rules.map((rule) => [
		rule.name,
		rule.about,
		printable(rule.when?.replaceAll(/\s+/g, " ") ?? ""),
		rule.when === undefined ? rule.then : `${rule.then}, else ${rule.else}`,
	]);
	if (rows.length > 0) output.table(["RULE", "ABOUT", "WHEN", "THEN"], rows);
	output.line(`What no rule decides: ${by_default}. Loops: ${loops ?? "not looked for"}.`);
	const known = tools.map((tool) => [
		printable(`${tool.server}__${tool.tool}`),
		tool.risk,
		tool.from,
		tool.approval ? "required" : "",
		tool.scopes.join(" "),
	]);
	if (known.length > 0) output.table(["TOOL", "RISK", "FROM", "APPROVAL", "SCOPES"], known);
}

function printAnswer(answer: PolicyAnswer, output: Output): void {
	const { decision, message, rule, risk, risk_from, listed } = answer;
	const word = output.look(looks[decision] ?? "dim", decision);
	output.line(rule === undefined ? word : `${word}  (${printable(rule)})`);
	if (message !== undefined) output.line(printable(message));
	if (risk !== undefined) output.line(`risk: ${risk}, told from: ${risk_from ?? ""}`);
	output.line(`lists show it: ${listed ? "yes" : "no"}`);
	const about = answer.rules.filter((one) => one.about);
	if (about.length === 0) return;
	const rows = about.map((one) => [one.name, String(one.line), one.outcome, printable(one.note)]);
	output.table(["RULE", "LINE", "OUTCOME", "WHY"], rows);
}
