import { z } from "zod";
import type { StoredCatalog } from "../store/catalog-repository.ts";
import type { Reading } from "./readings.ts";
import { type CatalogItem, makeCatalog, type ServerCatalog } from "./server-catalog.ts";

/**
 * A catalog as it is stored. An item is its name and its raw JSON as a text, which keeps it
 * byte for byte: what came over the wire is valid UTF-8.
 */
const items_schema = z.array(z.tuple([z.string(), z.string()]));
const methods_schema = z.array(
	z.enum(["tools/list", "resources/list", "resources/templates/list", "prompts/list"]),
);
const reading_schema = z.object({
	scope: z.string(),
	capabilities: z.string(),
	hash: z.string(),
	hashes: z.object({
		tools: z.string(),
		resources: z.string(),
		templates: z.string(),
		prompts: z.string(),
	}),
});
const body_schema = z.object({
	era: z.enum(["legacy", "modern"]),
	revision: z.string(),
	capabilities: z.string(),
	server_info: z.string(),
	instructions: z.string().optional(),
	tools: items_schema,
	resources: items_schema,
	templates: items_schema,
	prompts: items_schema,
	incomplete: methods_schema,
	inexact: methods_schema.optional(),
	readings: z.array(reading_schema).optional(),
});

/** The form in which a catalog is stored, with what is known of whom it stands for. */
export function toStored(catalog: ServerCatalog, readings: readonly Reading[] = []): StoredCatalog {
	const { server, fingerprint, fetched_at_ms, hash } = catalog;
	const { era, revision, capabilities, server_info, instructions, incomplete, inexact } = catalog;
	const body: z.infer<typeof body_schema> = {
		era,
		revision,
		capabilities,
		server_info,
		...(instructions === undefined ? {} : { instructions }),
		tools: catalog.tools.map(toTuple),
		resources: catalog.resources.map(toTuple),
		templates: catalog.templates.map(toTuple),
		prompts: catalog.prompts.map(toTuple),
		incomplete: [...incomplete],
		...(inexact === undefined ? {} : { inexact: [...inexact] }),
		...(readings.length === 0 ? {} : { readings: [...readings] }),
	};
	return { server, fingerprint, fetched_at_ms, hash, body: JSON.stringify(body) };
}

/** The catalog again; undefined when the stored form is of another version, or damaged. */
export function fromStored(stored: StoredCatalog): ServerCatalog | undefined {
	const parsed = body_schema.safeParse(parseJson(stored.body));
	if (!parsed.success) return undefined;
	const { server, fingerprint, fetched_at_ms } = stored;
	const { instructions, inexact, readings: _readings, ...body } = parsed.data;
	const catalog = makeCatalog({
		...body,
		server,
		fingerprint,
		fetched_at_ms,
		instructions,
		...(inexact === undefined ? {} : { inexact }),
		tools: body.tools.map(fromTuple),
		resources: body.resources.map(fromTuple),
		templates: body.templates.map(fromTuple),
		prompts: body.prompts.map(fromTuple),
	});
	return catalog.hash === stored.hash ? catalog : undefined;
}

/** Whom a stored catalog stands for; nobody that is known of where it is not readable. */
export function readingsIn(stored: StoredCatalog): readonly Reading[] {
	const parsed = body_schema.safeParse(parseJson(stored.body));
	return (parsed.success ? parsed.data.readings : undefined) ?? [];
}

function toTuple(item: CatalogItem): [string, string] {
	return [item.name, item.bytes.toString("utf8")];
}

function fromTuple([name, text]: [string, string]): CatalogItem {
	return { name, bytes: Buffer.from(text, "utf8") };
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
