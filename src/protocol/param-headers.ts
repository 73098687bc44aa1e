import { decodeHeaderValue, header_names, trimOptionalWhitespace } from "./headers.ts";

/**
 * The headers that mirror arguments of a tool (SEP-2243): which ones a tool's schema asks for,
 * what stands in them, and whether a header agrees with the argument it mirrors.
 */

/** An argument that travels in a header too. */
export interface ParamHeader {
	/** Where the argument stands, from the arguments' object down. */
	readonly path: readonly string[];
	/** The whole header name, in lower case. */
	readonly header: string;
}

const annotation = "x-mcp-header";
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
const permitted_types: ReadonlySet<unknown> = new Set(["string", "integer", "boolean"]);
/** Headers one tool may ask for; more would not fit into any server's limit. */
const headers_max = 100;
/** Deepest schema that is looked through. */
const depth_max = 128;

/** Keywords that hold one schema, or a list of schemas. */
const schema_keywords = [
	"items",
	"prefixItems",
	"contains",
	"additionalItems",
	"additionalProperties",
	"unevaluatedProperties",
	"unevaluatedItems",
	"propertyNames",
	"oneOf",
	"anyOf",
	"allOf",
	"not",
	"if",
	"then",
	"else",
];
/** Keywords that hold schemas by name; through `properties` alone an argument is reached. */
const named_keywords = ["patternProperties", "dependentSchemas", "$defs", "definitions"];

/**
 * The headers that an input schema asks for. Undefined when an annotation breaks a rule, which
 * makes the whole tool invalid: a name that is no token (RFC 9110) or stands twice, another
 * type than string, integer or boolean, or a place that `properties` alone do not lead to.
 * @param schema the parsed input schema
 */
export function findParamHeaders(schema: unknown): readonly ParamHeader[] | undefined {
	const found = new Map<string, ParamHeader>();
	return visit(schema, [], true, found, 0) ? [...found.values()] : undefined;
}

/** Looks through one schema and all in it; false when an annotation breaks a rule. */
function visit(
	schema: unknown,
	path: readonly string[],
	reachable: boolean,
	found: Map<string, ParamHeader>,
	depth: number,
): boolean {
	if (typeof schema !== "object" || schema === null) return true;
	if (depth > depth_max) return false;
	const members = schema as Readonly<Record<string, unknown>>;
	if (Object.hasOwn(members, annotation)) {
		if (!reachable || path.length === 0 || !note(members, path, found)) return false;
	}
	const deeper = (child: unknown, name?: string) => {
		const inner = name === undefined ? path : [...path, name];
		return visit(child, inner, reachable && name !== undefined, found, depth + 1);
	};
	const { properties } = members;
	if (!entriesOf(properties).every(([name, child]) => deeper(child, name))) return false;
	for (const keyword of schema_keywords) {
		const value = members[keyword];
		if (!(Array.isArray(value) ? value : [value]).every((child) => deeper(child))) return false;
	}
	return named_keywords.every((keyword) =>
		entriesOf(members[keyword]).every(([, child]) => deeper(child)),
	);
}

function note(
	members: Readonly<Record<string, unknown>>,
	path: readonly string[],
	found: Map<string, ParamHeader>,
): boolean {
	const name = members[annotation];
	if (typeof name !== "string" || !token.test(name)) return false;
	if (!permitted_types.has(members["type"])) return false;
	const header = header_names.param_prefix + name.toLowerCase();
	if (found.has(header) || found.size >= headers_max) return false;
	found.set(header, { path, header });
	return true;
}

function entriesOf(value: unknown): [string, unknown][] {
	return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

const none: readonly ParamHeader[] = [];
/** By the bytes of the tool's definition: a catalog keeps them as long as it is in use. */
const known = new WeakMap<Buffer, readonly ParamHeader[]>();

/**
 * The headers that a tool asks for; none when its annotations are not valid.
 * @param tool raw JSON of the tool's definition
 */
export function paramHeadersOf(tool: Buffer): readonly ParamHeader[] {
	let headers = known.get(tool);
	if (headers === undefined) {
		headers = tool.includes(annotation) ? readTool(tool) : none;
		known.set(tool, headers);
	}
	return headers;
}

function readTool(tool: Buffer): readonly ParamHeader[] {
	let parsed: unknown;
	try {
		parsed = JSON.parse(tool.toString("utf8"));
	} catch {
		return none;
	}
	const schema = (parsed as { inputSchema?: unknown } | null)?.inputSchema;
	return findParamHeaders(schema) ?? none;
}

/**
 * An argument as text for a header, before it is encoded. Undefined for what no header carries:
 * null, objects, lists, and numbers that are not exact.
 * @param value the parsed argument
 */
export function paramText(value: unknown): string | undefined {
	if (typeof value === "string") return value;
	if (typeof value === "boolean") return String(value);
	if (typeof value !== "number" || !Number.isFinite(value)) return undefined;
	return Number.isInteger(value) && !Number.isSafeInteger(value) ? undefined : String(value);
}

const decimal = /^-?\d+(?:\.\d+)?$/;

/**
 * What is wrong with a header that mirrors an argument, as the end of a sentence; undefined
 * when they agree, or when the argument is one that no header carries.
 * @param value the parsed argument; undefined when it is not given
 * @param header the header as it came
 */
export function paramHeaderProblem(
	{ header: name, path }: ParamHeader,
	value: unknown,
	header: string | undefined,
): string | undefined {
	const text = paramText(value);
	if (text === undefined) return undefined;
	if (header === undefined) return `the ${name} header is missing`;
	const decoded = decodeHeaderValue(header);
	if (decoded === undefined) return `the ${name} header holds invalid base64`;
	if (decoded === text) return undefined;
	// 42 and 42.0 are the same number, however each side writes it.
	const plain = trimOptionalWhitespace(decoded);
	if (typeof value === "number" && decimal.test(plain) && Number(plain) === value) return undefined;
	return `the ${name} header does not match params.arguments.${path.join(".")}`;
}
