import type { ASTNode } from "@marcbachmann/cel-js";
import { type Measure, measure } from "../lib/measure.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { safePattern } from "../lib/safe-pattern.ts";
import { type Evaluate, environment, runOf } from "./cel-environment.ts";
import type { Facts } from "./facts.ts";
import { type QuickCondition, quickConditionOf } from "./quick-condition.ts";

/**
 * Conditions: expressions in CEL that are true or false. They come from the configuration; what
 * they are evaluated over comes from callers.
 */

/** What is wrong with an expression. */
export interface ExpressionProblem {
	/** A sentence. */
	readonly message: string;
	/** Characters from the beginning of the expression. */
	readonly index: number;
}

/** What is known of a condition before the call is made. */
export type Foreseen = boolean | "unknown" | "error";

/** A checked condition. */
export interface Condition {
	readonly text: string;
	/** The variables it speaks of. */
	readonly mentions: ReadonlySet<string>;
	/** What the arguments and the name may measure, so that evaluating it stays quick. */
	readonly bounds: Measure;
	/** Whether it is true; the problem is a sentence. What is missing is a problem. */
	evaluate(facts: Facts): Result<boolean, string>;
	/** Whether it is true whatever the variables in `unknown` turn out to be. */
	foresee(facts: Facts, unknown: ReadonlySet<string>): Foreseen;
}

const nesting_max = 3;
const depth_max = 64;
/** Steps that the loops of one expression may take together. */
const steps_max = 1e6;

/** How many values may be looped over so deeply. */
function itemsMax(nesting: number): number {
	return Math.floor(steps_max ** (1 / Math.max(1, nesting)));
}

/** Reads and checks a condition: its syntax, its types, and that its time is bounded. */
export function parseCondition(text: string): Result<Condition, ExpressionProblem> {
	const checked = environment.check(text);
	if (!checked.valid) return fail(problemOf(checked.error));
	if (checked.type !== "bool" && checked.type !== "dyn") {
		return fail({ message: `It is not true or false, but of type ${checked.type}.`, index: 0 });
	}
	const walk = newWalk();
	const { ast } = environment.parse(text);
	look(ast, 0, walk);
	if (walk.problem !== undefined) return fail(walk.problem);
	return succeed(new CelCondition(text, walk));
}

function problemOf(error: { message: string; node?: unknown } | undefined): ExpressionProblem {
	const node = error?.node as { start?: number; pos?: number } | undefined;
	// The library adds a picture of the place, which here is told otherwise.
	const first = (error?.message ?? "It cannot be read.").split("\n")[0] ?? "";
	const message = /[.!?]$/.test(first) ? first : `${first}.`;
	return { message, index: node?.pos ?? node?.start ?? 0 };
}

interface Walk {
	readonly mentions: Set<string>;
	nesting: number;
	/** The longest text that every pattern in it may be given. */
	chars_max: number;
	problem: ExpressionProblem | undefined;
}

function newWalk(): Walk {
	const chars_max = Number.POSITIVE_INFINITY;
	return { mentions: new Set(), nesting: 0, chars_max, problem: undefined };
}

const macros: ReadonlySet<string> = new Set(["all", "exists", "exists_one", "map", "filter"]);

/** Walks an expression for the variables it speaks of, and for what could take long. */
function look(node: ASTNode, loops: number, walk: Walk): void {
	if (node.op === "id") walk.mentions.add(node.args);
	let inside = loops;
	if (node.op === "rcall") {
		const [name, , args] = node.args;
		if (macros.has(name) && args.length > 1) inside += 1;
		if (name === "matches") checkMatches(args[0], walk);
	}
	if (node.op === "call" && node.args[0] === "matches") checkMatches(node.args[1][1], walk);
	walk.nesting = Math.max(walk.nesting, inside);
	if (inside > nesting_max) {
		const message = `It loops within loops more than ${nesting_max} deep.`;
		walk.problem ??= { message, index: node.pos };
		return;
	}
	for (const child of childrenOf(node.args)) look(child, inside, walk);
}

/** Texts to match come from callers, so what they are matched with has to be known beforehand. */
function checkMatches(pattern: ASTNode | undefined, walk: Walk): void {
	if (pattern?.op !== "value" || typeof pattern.args !== "string") {
		const message = "The pattern of `matches` has to be a text in quotes.";
		walk.problem ??= { message, index: pattern?.pos ?? 0 };
		return;
	}
	const safe = safePattern(pattern.args);
	if (safe === undefined) {
		const message =
			"The pattern of `matches` could take very long, or cannot be read: it may not repeat what repeats already, nor refer back or look around.";
		walk.problem ??= { message, index: pattern.pos };
	} else walk.chars_max = Math.min(walk.chars_max, safe.text_chars_max);
}

function* childrenOf(args: unknown): Generator<ASTNode> {
	if (Array.isArray(args)) for (const one of args) yield* childrenOf(one);
	else if (typeof args === "object" && args !== null && "op" in args) yield args as ASTNode;
}

class CelCondition implements Condition {
	readonly text: string;
	readonly mentions: ReadonlySet<string>;
	readonly bounds: Measure;
	#run: Evaluate | undefined;
	#quick: QuickCondition | undefined;
	#tree: Tree | undefined;
	/** What it speaks of that callers and servers may make long; the arguments are measured apart. */
	readonly #long: readonly LongPart[];

	constructor(text: string, { mentions, nesting, chars_max }: Walk) {
		this.text = text;
		this.mentions = mentions;
		this.bounds = { items: itemsMax(nesting), chars: chars_max, depth: depth_max };
		const is_bounded = chars_max !== Number.POSITIVE_INFINITY;
		this.#long = is_bounded ? may_be_long.filter(({ isIn }) => isIn(text, mentions)) : [];
	}

	evaluate(facts: Facts): Result<boolean, string> {
		const long = this.#tooLong(facts);
		if (long !== undefined) return fail(`\`${long}\` has a text that is too long for it.`);
		const quick = this.#quick?.(facts);
		if (quick !== undefined) return quick ? yes : no;
		// Most of many rules are never evaluated: what evaluates them is made when it is needed.
		if (this.#run === undefined) {
			const parsed = environment.parse(this.text);
			this.#run = parsed as Evaluate;
			this.#quick = quickConditionOf(parsed.ast, runOf);
			return this.evaluate(facts);
		}
		return truthOf(this.#run, facts);
	}

	foresee(facts: Facts, unknown: ReadonlySet<string>): Foreseen {
		if (this.#tooLong(facts) !== undefined) return "error";
		this.#tree ??= treeOf(environment.parse(this.text).ast);
		return foresee(this.#tree, facts, unknown);
	}

	/** What it speaks of with a longer text than its patterns may be given; undefined: nothing. */
	#tooLong(facts: Facts): string | undefined {
		return this.#long.find(({ of }) => longestIn(of(facts)) > this.bounds.chars)?.name;
	}
}

/** Something with texts from outside that a condition may speak of. */
interface LongPart {
	readonly name: string;
	isIn(text: string, mentions: ReadonlySet<string>): boolean;
	of(facts: Facts): unknown;
}

function longPart(name: "name" | "method" | "client" | "tool"): LongPart {
	return { name, isIn: (_text, mentions) => mentions.has(name), of: (facts) => facts[name] };
}

/** What is known of a person beside their claims, in which much may stand that no rule looks at. */
const persons = new WeakMap<object, object>();

const may_be_long: readonly LongPart[] = [
	longPart("name"),
	longPart("method"),
	longPart("client"),
	longPart("tool"),
	{
		name: "principal",
		isIn: (_text, mentions) => mentions.has("principal"),
		of({ principal }) {
			let person = persons.get(principal);
			if (person === undefined) {
				const { claims: _claims, ...others } = principal;
				person = others;
				persons.set(principal, person);
			}
			return person;
		},
	},
	{
		name: "principal.claims",
		isIn: (text, mentions) => mentions.has("principal") && text.includes("claims"),
		of: ({ principal }) => principal.claims,
	},
];

/** Characters of the longest text in what lives longer than a call, such as a person's claims. */
const longest = new WeakMap<object, number>();

function longestIn(value: unknown): number {
	if (typeof value !== "object" || value === null) return measure(value).chars;
	let chars = longest.get(value);
	if (chars === undefined) {
		chars = measure(value).chars;
		longest.set(value, chars);
	}
	return chars;
}

const yes = succeed(true);
const no = succeed(false);

function truthOf(run: Evaluate, facts: object): Result<boolean, string> {
	try {
		const value = run(facts);
		if (value === true) return yes;
		if (value === false) return no;
		return fail("It is not true or false.");
	} catch (error) {
		// Texts of arguments are no part of these messages, only names.
		return fail(problemOf(error as Error).message);
	}
}

/** The part of an expression that is made of `&&`, `||`, `!` and `?:`, with the rest as leaves. */
type Tree =
	| { readonly kind: "and" | "or"; readonly left: Tree; readonly right: Tree }
	| { readonly kind: "not"; readonly of: Tree }
	| { readonly kind: "choice"; readonly test: Tree; readonly yes: Tree; readonly no: Tree }
	| {
			readonly kind: "leaf";
			readonly mentions: ReadonlySet<string>;
			/** Undefined where it cannot be evaluated apart from the rest. */
			readonly run: Evaluate | undefined;
	  };

function treeOf(node: ASTNode): Tree {
	switch (node.op) {
		case "&&":
		case "||": {
			const [left, right] = node.args;
			const kind = node.op === "&&" ? "and" : "or";
			return { kind, left: treeOf(left), right: treeOf(right) };
		}
		case "!_":
			return { kind: "not", of: treeOf(node.args) };
		case "?:": {
			const [test, first, second] = node.args;
			return { kind: "choice", test: treeOf(test), yes: treeOf(first), no: treeOf(second) };
		}
		default: {
			const walk = newWalk();
			look(node, 0, walk);
			return { kind: "leaf", mentions: walk.mentions, run: runOf(node) };
		}
	}
}

/** Kleene's three values, and an error that a known value may still make up for, as CEL says. */
function foresee(tree: Tree, facts: Facts, unknown: ReadonlySet<string>): Foreseen {
	switch (tree.kind) {
		case "leaf": {
			if (tree.run === undefined) return "unknown";
			for (const name of tree.mentions) if (unknown.has(name)) return "unknown";
			const value = truthOf(tree.run, facts);
			return value.ok ? value.value : "error";
		}
		case "not": {
			const value = foresee(tree.of, facts, unknown);
			return typeof value === "boolean" ? !value : value;
		}
		case "choice": {
			const test = foresee(tree.test, facts, unknown);
			if (test === true) return foresee(tree.yes, facts, unknown);
			if (test === false) return foresee(tree.no, facts, unknown);
			if (test === "error") return test;
			const [a, b] = [foresee(tree.yes, facts, unknown), foresee(tree.no, facts, unknown)];
			return a === b ? a : "unknown";
		}
		case "and":
		case "or": {
			const settles = tree.kind === "or";
			const left = foresee(tree.left, facts, unknown);
			if (left === settles) return settles;
			const right = foresee(tree.right, facts, unknown);
			if (right === settles) return settles;
			// What is not known may still turn out to settle it.
			if (left === "unknown" || right === "unknown") return "unknown";
			return left === "error" || right === "error" ? "error" : !settles;
		}
	}
}
