/** One way in which a changed schema may break those who relied on the old one. */
export interface SchemaBreak {
	/** Path of the property: `filter.city`; the schema itself is `input` or `output`. */
	readonly at: string;
	/** The rest of a sentence: "is required now". */
	readonly what: string;
}

/**
 * Which way a schema is used. What was valid input before must be valid still; what output could
 * be relied on before must come still.
 */
export type SchemaUse = "input" | "output";

type Schema = Readonly<Record<string, unknown>>;

/** Properties within properties; schemas of tools are hardly ever deeper. */
const depth_max = 8;
/** What is listed of one schema; what is beyond is counted. */
const breaks_max = 50;

/**
 * What a change of a JSON Schema may break, as far as plain keywords tell: types, properties,
 * required ones and enumerations. References and combinations are not followed: a change inside
 * them is a change, and not called breaking.
 */
export function schemaBreaks(before: unknown, after: unknown, use: SchemaUse): SchemaBreak[] {
	const found: SchemaBreak[] = [];
	compare(asSchema(before), asSchema(after), use, { path: [], found });
	const more = found.length - breaks_max;
	if (more <= 0) return found;
	return [...found.slice(0, breaks_max), { at: use, what: `breaks in ${more} more ways` }];
}

interface Place {
	readonly path: readonly string[];
	readonly found: SchemaBreak[];
}

function compare(before: Schema, after: Schema, use: SchemaUse, place: Place): void {
	const at = place.path.length === 0 ? use : place.path.join(".");
	const add = (what: string) => place.found.push({ at, what });
	const [stricter, looser] = use === "input" ? [after, before] : [before, after];
	const [wide, narrow] = [typesOf(looser), typesOf(stricter)];
	const missing = [...wide].filter((type) => !narrow.has(type) && !covers(narrow, type));
	if (narrow.size > 0 && (wide.size === 0 || missing.length > 0)) {
		add(`was ${typeWords(typesOf(before))} and is ${typeWords(typesOf(after))}`);
		return;
	}
	const values = lostValues(looser, stricter);
	if (values.length > 0) add(`no longer ${use === "input" ? "takes" : "is only"} ${values}`);
	if (place.path.length >= depth_max) return;
	compareProperties(before, after, use, place);
	if (before["items"] !== undefined && after["items"] !== undefined) {
		const path = [...place.path, "[]"];
		const next = { path, found: place.found };
		compare(asSchema(before["items"]), asSchema(after["items"]), use, next);
	}
}

function compareProperties(before: Schema, after: Schema, use: SchemaUse, place: Place): void {
	const [old_ones, new_ones] = [asSchema(before["properties"]), asSchema(after["properties"])];
	const [was_required, is_required] = [requiredOf(before), requiredOf(after)];
	const pathTo = (name: string) => [...place.path, name];
	const add = (name: string, what: string) =>
		place.found.push({ at: pathTo(name).join("."), what });
	if (use === "input") {
		for (const name of is_required) if (!was_required.has(name)) add(name, "is required now");
	} else {
		for (const name of was_required) if (!is_required.has(name)) add(name, "may be missing now");
	}
	for (const name of Object.keys(old_ones)) {
		if (!Object.hasOwn(new_ones, name)) {
			const required = use === "output" && was_required.has(name);
			if (!required) add(name, "is gone");
			continue;
		}
		const next = { path: pathTo(name), found: place.found };
		compare(asSchema(old_ones[name]), asSchema(new_ones[name]), use, next);
	}
}

function asSchema(value: unknown): Schema {
	return typeof value === "object" && value !== null && !Array.isArray(value)
		? (value as Schema)
		: {};
}

/** The types a schema names; empty where it names none. */
function typesOf(schema: Schema): ReadonlySet<string> {
	const { type } = schema;
	const list = Array.isArray(type) ? type : [type];
	return new Set(list.filter((one): one is string => typeof one === "string"));
}

/** Every integer is a number. */
function covers(types: ReadonlySet<string>, type: string): boolean {
	return type === "integer" && types.has("number");
}

function typeWords(types: ReadonlySet<string>): string {
	return types.size === 0 ? "of any type" : [...types].join(" or ");
}

function requiredOf(schema: Schema): ReadonlySet<string> {
	const { required } = schema;
	const list = Array.isArray(required) ? required : [];
	return new Set(list.filter((one): one is string => typeof one === "string"));
}

/** Values of the wider enumeration that the narrower one lacks, as a text. */
function lostValues(wider: Schema, narrower: Schema): string {
	const narrow = narrower["enum"];
	const wide = wider["enum"];
	if (!Array.isArray(narrow)) return "";
	if (!Array.isArray(wide)) return "every value";
	const kept = new Set(narrow.map((value) => JSON.stringify(value)));
	const lost = wide.map((value) => JSON.stringify(value)).filter((text) => !kept.has(text));
	return lost.slice(0, 5).join(", ");
}
