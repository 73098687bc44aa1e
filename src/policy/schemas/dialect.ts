/** The dialects of JSON Schema that can be read here, as the library calls them. */
export type Dialect = "4" | "7" | "2019-09" | "2020-12";

const dialects: Readonly<Record<string, Dialect>> = {
	"json-schema.org/draft-04/schema": "4",
	"json-schema.org/draft-06/schema": "7",
	"json-schema.org/draft-07/schema": "7",
	"json-schema.org/draft/2019-09/schema": "2019-09",
	"json-schema.org/draft/2020-12/schema": "2020-12",
};

/**
 * The dialect a schema says it is written in; undefined for one that is not known here. Without a
 * word it is 2020-12 (SEP-1613), which reads older schemas well where they are simple.
 */
export function dialectOf(schema: object): Dialect | undefined {
	const said: unknown = (schema as Record<string, unknown>)["$schema"];
	if (said === undefined) return "2020-12";
	if (typeof said !== "string") return undefined;
	const bare = said.replace(/^https?:\/\//, "").replace(/#$/, "");
	return Object.hasOwn(dialects, bare) ? dialects[bare] : undefined;
}
