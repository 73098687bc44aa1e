import { exposedUri } from "../../protocol/names.ts";
import type { Edit, Span } from "../../wire/message.ts";
import { indexArray, indexObject, memberSpan, readString } from "../../wire/object.ts";
import { replaceSpan } from "../../wire/splice.ts";

/** The addresses inside one skill (SEP-2640) as clients of several servers see them. */
export function skillUriEdits(server: string, bytes: Buffer, skill: Span): Edit[] {
	const object = indexObject(bytes, skill);
	const files = memberSpan(object, "resources");
	const listed = files === undefined ? [] : (indexArray(bytes, files) ?? []);
	const spans = [
		memberSpan(object, "uri"),
		...listed.map((file) => memberSpan(indexObject(bytes, file), "uri")),
	];
	return spans.flatMap((span) => {
		const uri = readString(bytes, span);
		if (span === undefined || uri === undefined) return [];
		return [replaceSpan(span, JSON.stringify(exposedUri(server, uri)))];
	});
}
