import type { ASTNode } from "@marcbachmann/cel-js";
import type { Facts } from "./facts.ts";
import {
	type Comparison,
	compare,
	compareSize,
	fieldOf,
	hasMember,
	isIn,
	isInherited,
	isSame,
	isScalar,
	itemOf,
	memberOf,
	sizeOf,
	sure,
} from "./quick-values.ts";

/**
 * Evaluates most conditions many times faster than the library that reads them. It never says
 * anything else than the library: where it is not sure, be it of an expression, of a type or of
 * something that is missing, the library decides. Made of closures, each for one node.
 */
export type QuickCondition = (facts: Facts) => boolean | undefined;

/** The value of a node; undefined: not sure. `item` is what the loop around it is at. */
type Term = (facts: Facts, item: unknown) => unknown;

/** What evaluates a node apart from the rest, with the library; undefined where nothing can. */
export type RunOf = (node: ASTNode) => ((facts: object) => unknown) | undefined;

type MethodCall = Extract<ASTNode, { op: "rcall" }>;

const unsure: Term = () => undefined;

/** The quick form of a checked condition; undefined where it would never be sure. */
export function quickConditionOf(ast: ASTNode, runOf: RunOf): QuickCondition | undefined {
	const term = new Compiler(runOf).term(ast, undefined);
	if (term === unsure) return undefined;
	return (facts) => truth(term(facts, undefined));
}

function truth(value: unknown): boolean | undefined {
	return typeof value === "boolean" ? value : undefined;
}

/** What each variable is; none may be looked at otherwise. */
const variables: Readonly<Record<string, Term>> = {
	__proto__: null as never,
	principal: (facts) => facts.principal,
	client: (facts) => facts.client,
	tool: (facts) => facts.tool,
	endpoint: (facts) => facts.endpoint,
	server: (facts) => facts.server,
	method: (facts) => facts.method,
	name: (facts) => facts.name,
	args: (facts) => sure(facts.args),
	time: (facts) => facts.time,
};

/** Variables whose members are known beforehand. */
const typed: ReadonlySet<string> = new Set(["principal", "client", "tool"]);

/** Parts of a time in UTC, as the library counts them. */
const time_parts: Readonly<Record<string, (time: Date) => number>> = {
	__proto__: null as never,
	getFullYear: (time) => time.getUTCFullYear(),
	getMonth: (time) => time.getUTCMonth(),
	getDate: (time) => time.getUTCDate(),
	getDayOfMonth: (time) => time.getUTCDate() - 1,
	getDayOfWeek: (time) => time.getUTCDay(),
	getHours: (time) => time.getUTCHours(),
	getMinutes: (time) => time.getUTCMinutes(),
	getSeconds: (time) => time.getUTCSeconds(),
};

const text_tests: Readonly<Record<string, (text: string, part: string) => boolean>> = {
	__proto__: null as never,
	startsWith: (text, part) => text.startsWith(part),
	endsWith: (text, part) => text.endsWith(part),
	contains: (text, part) => text.includes(part),
};

const text_changes: Readonly<Record<string, (text: string) => string>> = {
	__proto__: null as never,
	lowerAscii: (text) => text.toLowerCase(),
	upperAscii: (text) => text.toUpperCase(),
	trim: (text) => text.trim(),
};

class Compiler {
	readonly #runOf: RunOf;

	constructor(runOf: RunOf) {
		this.#runOf = runOf;
	}

	/** @param loop the variable of the loop around it */
	term(node: ASTNode, loop: string | undefined): Term {
		const constant = this.#constant(node);
		if (constant !== undefined) return () => constant;
		switch (node.op) {
			case "id":
				return node.args === loop ? (_, item) => item : (variables[node.args] ?? unsure);
			case ".":
				return this.#member(node.args[0], node.args[1], loop);
			case "[]":
				return this.#index(node.args[0], node.args[1], loop);
			case "&&":
			case "||":
				return this.#junction(node.args, node.op === "||", loop);
			case "!_":
				return this.#not(node.args, loop);
			case "?:":
				return this.#choice(node.args, loop);
			case "==":
			case "!=":
				return this.#equality(node.args, node.op === "==", loop);
			case "<":
			case "<=":
			case ">":
			case ">=":
				return this.#comparison(node.args, node.op, loop);
			case "in":
				return this.#both(node.args, isIn, loop);
			case "call":
				return this.#call(node.args[0], node.args[1], loop);
			case "rcall":
				return this.#method(node, loop);
			default:
				return unsure;
		}
	}

	/** A text, a number, true, false, null, a time, or a list of texts or of numbers. */
	#constant(node: ASTNode): unknown {
		if (node.op === "value") return plainConstant(node.args);
		return mentionsAny(node) ? undefined : plainConstant(valueOf(this.#runOf(node), {}));
	}

	#member(of: ASTNode, name: string, loop: string | undefined): Term {
		const object = this.term(of, loop);
		if (object === unsure) return unsure;
		if (of.op === "id" && of.args !== loop && typed.has(of.args)) {
			return (facts) => fieldOf(object(facts, undefined), name);
		}
		const inherited = isInherited(name);
		return (facts, item) => memberOf(object(facts, item), name, inherited);
	}

	#index(of: ASTNode, at: ASTNode, loop: string | undefined): Term {
		const object = this.term(of, loop);
		const key = this.#constant(at);
		// What is known beforehand has no such members, and their order means nothing.
		if (object === unsure || (of.op === "id" && typed.has(of.args))) return unsure;
		if (typeof key === "string") {
			const inherited = isInherited(key);
			return (facts, item) => memberOf(object(facts, item), key, inherited);
		}
		if (typeof key !== "number" || !Number.isInteger(key) || key < 0) return unsure;
		return (facts, item) => itemOf(object(facts, item), key);
	}

	/** `settles` is what decides the whole as soon as one side is it. */
	#junction(
		[left_node, right_node]: readonly [ASTNode, ASTNode],
		settles: boolean,
		loop: string | undefined,
	): Term {
		const left = this.term(left_node, loop);
		const right = this.term(right_node, loop);
		if (left === unsure) return unsure;
		return (facts, item) => {
			const first = left(facts, item);
			if (first === settles) return settles;
			return first === !settles ? truth(right(facts, item)) : undefined;
		};
	}

	#not(of: ASTNode, loop: string | undefined): Term {
		const term = this.term(of, loop);
		if (term === unsure) return unsure;
		return (facts, item) => {
			const value = term(facts, item);
			return typeof value === "boolean" ? !value : undefined;
		};
	}

	#choice(
		[test_node, yes_node, no_node]: readonly [ASTNode, ASTNode, ASTNode],
		loop: string | undefined,
	): Term {
		const test = this.term(test_node, loop);
		const yes = this.term(yes_node, loop);
		const no = this.term(no_node, loop);
		if (test === unsure) return unsure;
		return (facts, item) => {
			const value = test(facts, item);
			if (value === true) return yes(facts, item);
			return value === false ? no(facts, item) : undefined;
		};
	}

	#equality(sides: readonly [ASTNode, ASTNode], wanted: boolean, loop: string | undefined): Term {
		const constant = this.#constant(sides[1]);
		if (constant === undefined || !isScalar(constant)) {
			return this.#both(
				sides,
				(one, other) => {
					const same = isSame(one, other);
					return same === undefined ? undefined : same === wanted;
				},
				loop,
			);
		}
		const left = this.term(sides[0], loop);
		if (left === unsure) return unsure;
		return (facts, item) => {
			const value = left(facts, item);
			return isScalar(value) ? (value === constant) === wanted : undefined;
		};
	}

	#comparison(sides: readonly [ASTNode, ASTNode], by: Comparison, loop: string | undefined): Term {
		const [left, right] = sides;
		const to = this.#constant(right);
		const measured = typeof to === "number" ? sizedBy(left) : undefined;
		if (measured === undefined) {
			return this.#both(sides, (one, other) => compare(by, one, other), loop);
		}
		const of = this.term(measured, loop);
		if (of === unsure) return unsure;
		return (facts, item) => compareSize(by, of(facts, item), to as number);
	}

	/** What two values come to, where both are known. */
	#both(
		[left_node, right_node]: readonly [ASTNode, ASTNode],
		combine: (one: unknown, other: unknown) => unknown,
		loop: string | undefined,
	): Term {
		const left = this.term(left_node, loop);
		const right = this.term(right_node, loop);
		if (left === unsure || right === unsure) return unsure;
		return (facts, item) => combine(left(facts, item), right(facts, item));
	}

	#call(name: string, args: readonly ASTNode[], loop: string | undefined): Term {
		const [only] = args;
		if (only === undefined || args.length > 1) return unsure;
		if (name === "has") return this.#has(only, loop);
		return name === "size" ? this.#size(only, loop) : unsure;
	}

	#size(of: ASTNode, loop: string | undefined): Term {
		const term = this.term(of, loop);
		return term === unsure ? unsure : (facts, item) => sizeOf(term(facts, item));
	}

	/** Whether there is a member; what it is a member of has to be there. */
	#has(node: ASTNode, loop: string | undefined): Term {
		if (node.op !== ".") return unsure;
		const [of, name] = node.args;
		if (!isPath(of) || (of.op === "id" && of.args !== loop && typed.has(of.args))) return unsure;
		const object = this.term(of, loop);
		return object === unsure ? unsure : (facts, item) => hasMember(object(facts, item), name);
	}

	#method(node: MethodCall, loop: string | undefined): Term {
		const [name, receiver, args] = node.args;
		const of = this.term(receiver, loop);
		if (of === unsure) return unsure;
		const [first, second] = args;
		if (first === undefined) return this.#withoutArguments(name, of);
		if (second !== undefined) {
			// A loop within a loop would have to tell two variables apart.
			if (args.length > 2 || loop !== undefined) return unsure;
			return this.#quantified(name, of, first, second);
		}
		const constant = this.#constant(first);
		if (name === "matches") return typeof constant === "string" ? matching(of, constant) : unsure;
		if (time_parts[name] !== undefined && isTime(receiver, loop)) return this.#inZone(node);
		const test = text_tests[name];
		const part = this.term(first, loop);
		if (test === undefined || part === unsure) return unsure;
		return (facts, item) => {
			const text = of(facts, item);
			const sought = part(facts, item);
			return typeof text === "string" && typeof sought === "string"
				? test(text, sought)
				: undefined;
		};
	}

	/** In a time zone: asked of the library once a second, since that takes longer than all rules. */
	#inZone(node: MethodCall): Term {
		const run = mentionsAny(node.args[2]) ? undefined : this.#runOf(node);
		if (run === undefined) return unsure;
		let second = Number.NaN;
		let value: unknown;
		return ({ time }) => {
			if (time === undefined) return undefined;
			const now = Math.floor(time.getTime() / 1000);
			if (now !== second) {
				value = plainConstant(valueOf(run, { time }));
				second = now;
			}
			return value;
		};
	}

	#withoutArguments(name: string, of: Term): Term {
		if (name === "size") return (facts, item) => sizeOf(of(facts, item));
		const change = text_changes[name];
		if (change !== undefined) {
			return (facts, item) => {
				const text = of(facts, item);
				return typeof text === "string" ? change(text) : undefined;
			};
		}
		const part = time_parts[name];
		if (part === undefined) return unsure;
		return (facts, item) => {
			const time = of(facts, item);
			return time instanceof Date ? part(time) : undefined;
		};
	}

	/** Over lists: each item in turn, up to one that settles it. */
	#quantified(name: string, of: Term, variable: ASTNode, predicate: ASTNode): Term {
		if ((name !== "exists" && name !== "all") || variable.op !== "id") return unsure;
		const settles = name === "exists";
		const test = this.term(predicate, variable.args);
		if (test === unsure) return unsure;
		return (facts, item) => {
			const list = of(facts, item);
			if (!Array.isArray(list)) return undefined;
			for (const one of list) {
				const value = sure(one) === undefined ? undefined : test(facts, one);
				if (value === settles) return settles;
				if (value !== !settles) return undefined;
			}
			return !settles;
		};
	}
}

/** Whether a text matches; the pattern is checked when the condition is read. */
function matching(of: Term, pattern: string): Term {
	const regexp = new RegExp(pattern);
	return (facts, item) => {
		const text = of(facts, item);
		return typeof text === "string" ? regexp.test(text) : undefined;
	};
}

/** What is measured by `size(x)` or `x.size()`. */
function sizedBy(node: ASTNode): ASTNode | undefined {
	if (node.op === "call") {
		const [name, args] = node.args;
		return name === "size" && args.length === 1 ? args[0] : undefined;
	}
	if (node.op !== "rcall") return undefined;
	const [name, receiver, args] = node.args;
	return name === "size" && args.length === 0 ? receiver : undefined;
}

/** Whether a node is the time of the call. */
function isTime(node: ASTNode, loop: string | undefined): boolean {
	return node.op === "id" && node.args === "time" && loop !== "time";
}

/** Whether a node is a variable, or a member of one. */
function isPath(node: ASTNode): boolean {
	let at = node;
	while (at.op === ".") at = at.args[0];
	return at.op === "id";
}

/** Whole numbers of expressions are as exact as numbers of JSON here, or left to the library. */
function plainConstant(value: unknown): unknown {
	if (typeof value === "bigint") return safeNumber(value);
	if (isScalar(value) || value instanceof Date) return value;
	if (!Array.isArray(value)) return undefined;
	const [first] = value;
	const type = typeof first;
	if (type !== "string" && type !== "number" && type !== "bigint") return undefined;
	if (!value.every((one) => typeof one === type)) return undefined;
	if (type !== "bigint") return value;
	const numbers = value.map((one) => safeNumber(one as bigint));
	return numbers.includes(undefined) ? undefined : numbers;
}

function safeNumber(value: bigint): number | undefined {
	const number = Number(value);
	return Number.isSafeInteger(number) ? number : undefined;
}

/** What the library says; undefined where it fails. */
function valueOf(run: ReturnType<RunOf>, facts: object): unknown {
	try {
		return run?.(facts);
	} catch {
		return undefined;
	}
}

/** Whether there is a variable in it, or what looks like one. */
function mentionsAny(part: unknown): boolean {
	if (Array.isArray(part)) return part.some(mentionsAny);
	if (typeof part !== "object" || part === null || !("op" in part)) return false;
	const node = part as ASTNode;
	return node.op === "id" || mentionsAny(node.args);
}
