import type { ToolRulePlan } from "../config/policy-plan.ts";
import { matchesGlob } from "../lib/glob.ts";
import { type RiskClass, risk_classes } from "../protocol/risk.ts";

/** A tool's risk class and what it was told from. */
export interface Risk {
	readonly risk: RiskClass;
	/** `given`: the configuration says so. `unknown`: nothing says anything, so it is the worst. */
	readonly from: "given" | "annotations" | "name" | "unknown";
}

type Annotations = Readonly<Record<string, unknown>>;

/**
 * What a tool can do to the world: what the configuration gives it, else the worse of what its
 * annotations and its name say. A server's word is never enough to make a tool look more
 * harmless than its name (tools, annotations: not to be trusted).
 */
export function riskOf(
	tool: string,
	annotations: Annotations,
	rules: readonly ToolRulePlan[],
): Risk {
	const given = settingsFor(tool, rules).find(({ risk }) => risk !== undefined)?.risk;
	if (given !== undefined) return { risk: given, from: "given" };
	const by_hints = riskFromAnnotations(annotations);
	const by_name = riskFromName(tool);
	if (by_hints === undefined) {
		if (by_name === undefined) return { risk: "destructive", from: "unknown" };
		return { risk: by_name, from: "name" };
	}
	if (by_name === undefined || rank(by_hints) >= rank(by_name)) {
		return { risk: by_hints, from: "annotations" };
	}
	return { risk: by_name, from: "name" };
}

/** What holds for a tool: its own name first, then patterns in the order of the file. */
export function settingsFor(tool: string, rules: readonly ToolRulePlan[]): readonly ToolRulePlan[] {
	const own = rules.filter(({ pattern }) => pattern === tool);
	const others = rules.filter(({ pattern }) => pattern !== tool && matchesGlob(pattern, tool));
	return [...own, ...others];
}

/** Place in the order from harmless to irreversible. */
export function rank(risk: RiskClass): number {
	return risk_classes.indexOf(risk);
}

/**
 * What annotations say; undefined where they say nothing. A tool that is not read-only is taken
 * for destructive unless it says otherwise, as the specification has it.
 */
function riskFromAnnotations(annotations: Annotations): RiskClass | undefined {
	const { readOnlyHint: reads, destructiveHint: destroys } = annotations;
	if (reads === true) return "read";
	if (destroys === true) return "destructive";
	if (destroys === false) return "reversible";
	return reads === false ? "destructive" : undefined;
}

/** Words of names, from the worst on: the first that a name has decides. */
const words: readonly (readonly [RiskClass, ReadonlySet<string>])[] = [
	[
		"destructive",
		new Set(
			"delete remove destroy drop purge erase wipe truncate kill terminate revoke reset uninstall unlink rm format overwrite merge execute exec eval run shell".split(
				" ",
			),
		),
	],
	[
		"visible",
		new Set(
			"send post publish tweet email mail message notify invite share comment reply announce broadcast release submit sms call".split(
				" ",
			),
		),
	],
	[
		"costly",
		new Set(
			"pay charge refund buy purchase order transfer withdraw invoice subscribe book provision launch deploy scale generate train".split(
				" ",
			),
		),
	],
	[
		"reversible",
		new Set(
			"create add insert update set edit write put patch change modify move rename copy upload import save store append replace assign label close open reopen enable disable start stop pause resume lock unlock archive restore cancel schedule register login upsert sync push commit apply install click type fill navigate".split(
				" ",
			),
		),
	],
	[
		"read",
		new Set(
			"get list read search find query fetch show describe view look lookup count check status info browse inspect explain summarize validate verify compare diff ping echo help stat head tail tree history log logs preview estimate calculate compute convert parse resolve select download export current now whoami".split(
				" ",
			),
		),
	],
];

/** Splits `deleteRepo`, `delete_repo` and `delete-repo` alike. */
const word_border = /[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])/;
/** Longer names are not looked at word by word. */
const name_chars_max = 256;

/** What a name says; undefined where none of its words is known. */
function riskFromName(tool: string): RiskClass | undefined {
	if (tool.length > name_chars_max) return undefined;
	const found = new Set(tool.split(word_border).map((word) => word.toLowerCase()));
	return words.find(([, known]) => !found.isDisjointFrom(known))?.[0];
}
