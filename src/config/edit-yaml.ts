import { type Document, isMap, isScalar, type Pair, parseDocument, type YAMLMap } from "yaml";

/** Adds and removes entries of `servers` in a moorage.yaml, keeping comments and the rest. */

/** A parsed file, or undefined when it cannot be edited safely. */
export function parseEditable(text: string): Document | undefined {
	const document = parseDocument(text, { prettyErrors: false });
	if (document.errors.length > 0) return undefined;
	const { contents } = document;
	return contents === null || isMap(contents) ? document : undefined;
}

/** The `servers` map; undefined where it is missing or empty, "other" where it is no map. */
function serversOf(document: Document): YAMLMap | undefined | "other" {
	if (document.contents === null) return undefined;
	const servers = document.get("servers", true);
	if (servers === undefined || servers === null) return undefined;
	if (isScalar(servers) && servers.value === null) return undefined;
	return isMap(servers) ? servers : "other";
}

/** The names under `servers`; undefined when it is something other than a map. */
export function yamlServerNames(document: Document): string[] | undefined {
	const servers = serversOf(document);
	if (servers === "other") return undefined;
	return (servers?.items ?? []).map((pair: Pair) =>
		isScalar(pair.key) ? String(pair.key.value) : String(pair.key),
	);
}

/** The text with a server added at the end of `servers`, made where missing. */
export function addYamlServer(
	text: string,
	document: Document,
	name: string,
	value: unknown,
): string {
	const servers = serversOf(document);
	if (servers === undefined || servers === "other") {
		document.set("servers", document.createNode({ [name]: value }));
	} else {
		// An empty `{}` would keep everything that follows on its line.
		if (servers.items.length === 0) servers.flow = false;
		servers.set(document.createNode(name), document.createNode(value));
	}
	return printYaml(text, document);
}

/** The text without a server. */
export function removeYamlServer(text: string, document: Document, name: string): string {
	document.deleteIn(["servers", name]);
	const servers = serversOf(document);
	if (servers !== undefined && servers !== "other" && servers.items.length === 0) {
		servers.flow = true;
	}
	return printYaml(text, document);
}

/** Prints with the indentation the file uses, and without folding its long lines. */
export function printYaml(text: string, document: Document): string {
	const indent = /^( +)\S/m.exec(text)?.[1]?.length ?? 2;
	const printed = document.toString({ indent, lineWidth: 0 });
	return text.includes("\r\n") ? printed.replaceAll(/\r?\n/g, "\r\n") : printed;
}
