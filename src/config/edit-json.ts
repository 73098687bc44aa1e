import { findNodeAtLocation, type Node, type ParseError, parseTree } from "jsonc-parser";

/**
 * Adds and removes members in JSON with comments by cutting the text itself, so that every
 * other character stays as it is.
 */

/** The key under which a client file keeps its servers. */
export type ServersKey = "mcpServers" | "servers";

/** Parses a text that is known to be good. */
export function parseGood(text: string): Node | undefined {
	const errors: ParseError[] = [];
	const root = parseTree(text, errors, { allowTrailingComma: true });
	return errors.length === 0 ? root : undefined;
}

/** The names under a container, in the order of the file. */
export function memberNames(root: Node, container: readonly string[]): string[] {
	const node = findNodeAtLocation(root, [...container]);
	return (node?.children ?? []).map((property) => String(property.children?.[0]?.value));
}

/** The text with `name: value` added as the last member of `container`, made where missing. */
export function addMember(
	text: string,
	root: Node,
	container: readonly string[],
	name: string,
	value: unknown,
): string {
	const node = findNodeAtLocation(root, [...container]);
	const [parent_key] = container;
	if (node === undefined && parent_key !== undefined) {
		return addMember(text, root, [], parent_key, { [name]: value });
	}
	const target = node ?? root;
	const style = styleOf(text, root);
	const close = target.offset + target.length - 1;
	const last = target.children?.at(-1);
	const body = text.slice(target.offset, close);
	const is_one_line = last !== undefined && !body.includes("\n");
	if (is_one_line) {
		const member = `${JSON.stringify(name)}: ${JSON.stringify(value)}`;
		const end = last.offset + last.length;
		const comma = trailingComma(text, end, close);
		if (comma !== undefined) return insert(text, comma + 1, ` ${member},`);
		return insert(text, end, `, ${member}`);
	}
	const outer = indentAt(text, target.offset);
	const inner = outer + style.indent;
	const json = JSON.stringify(value, null, style.indent).replaceAll("\n", style.eol + inner);
	const member = `${style.eol}${inner}${JSON.stringify(name)}: ${json}`;
	if (last === undefined) {
		const kept = body.slice(1).trimEnd();
		const rest = `${kept}${member}${style.eol}${outer}`;
		return text.slice(0, target.offset + 1) + rest + text.slice(close);
	}
	// Comments behind the last member stay with it: the new one goes before the brace.
	const end = last.offset + last.length;
	const has_comma = trailingComma(text, end, close) !== undefined;
	const before_brace = target.offset + body.trimEnd().length;
	const with_member = insert(text, before_brace, has_comma ? `${member},` : member);
	return has_comma ? with_member : insert(with_member, end, ",");
}

/** The text without the member; undefined when it is not there. */
export function removeMember(
	text: string,
	root: Node,
	container: readonly string[],
	name: string,
): string | undefined {
	const node = findNodeAtLocation(root, [...container]);
	const properties = node?.children ?? [];
	const index = properties.findIndex((one) => one.children?.[0]?.value === name);
	const property = properties[index];
	if (node === undefined || property === undefined) return undefined;
	const close = node.offset + node.length - 1;
	let start = property.offset;
	let end = start + property.length;
	const next = properties[index + 1];
	const comma = trailingComma(text, end, next?.offset ?? close);
	let result = text;
	if (comma !== undefined) {
		// A comment between the member and its comma goes with them.
		end = comma + 1;
	} else if (index > 0) {
		const before = properties[index - 1] as Node;
		const lead = trailingComma(text, before.offset + before.length, start);
		if (lead !== undefined) {
			result = text.slice(0, lead) + text.slice(lead + 1);
			start -= 1;
			end -= 1;
		}
	}
	return cutLines(result, start, end);
}

/** Cuts a range, and the whole lines when nothing else stands on them. */
function cutLines(text: string, start: number, end: number): string {
	const line_start = text.lastIndexOf("\n", start - 1) + 1;
	const line_end = text.indexOf("\n", end);
	const before = text.slice(line_start, start);
	const after = text.slice(end, line_end === -1 ? text.length : line_end);
	if (before.trim() === "" && after.trim() === "" && line_end !== -1) {
		return text.slice(0, line_start) + text.slice(line_end + 1);
	}
	const gap = /^[ \t]*/.exec(text.slice(end))?.[0].length ?? 0;
	return text.slice(0, start) + text.slice(end + gap);
}

/** The offset of the first comma outside comments between two offsets. */
function trailingComma(text: string, from: number, to: number): number | undefined {
	let at = from;
	while (at < to) {
		if (text.startsWith("//", at)) {
			const line_end = text.indexOf("\n", at);
			at = line_end === -1 ? to : line_end;
		} else if (text.startsWith("/*", at)) {
			const comment_end = text.indexOf("*/", at);
			at = comment_end === -1 ? to : comment_end + 2;
		} else if (text[at] === ",") return at;
		else at += 1;
	}
	return undefined;
}

function styleOf(text: string, root: Node): { indent: string; eol: string } {
	const eol = text.includes("\r\n") ? "\r\n" : "\n";
	const first = root.children?.[0];
	const indent = first === undefined ? "" : indentAt(text, first.offset);
	return { indent: indent === "" ? "  " : indent, eol };
}

/** The white space at the start of the line an offset is on. */
function indentAt(text: string, offset: number): string {
	const line_start = text.lastIndexOf("\n", offset - 1) + 1;
	return /^[ \t]*/.exec(text.slice(line_start))?.[0] ?? "";
}

function insert(text: string, at: number, addition: string): string {
	return text.slice(0, at) + addition + text.slice(at);
}
