/** Text that is HTML already: only `html` makes it, so everything else is escaped. */
export class Html {
	readonly text: string;

	constructor(text: string) {
		this.text = text;
	}
}

type Part = string | number | Html | readonly Html[] | undefined;

const entities: Readonly<Record<string, string>> = {
	"&": "&amp;",
	"<": "&lt;",
	">": "&gt;",
	'"': "&quot;",
	"'": "&#39;",
};

/** Characters that turn the writing direction or hide: they could make a name read as another. */
const deceptive =
	/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/** HTML with everything that is put into it escaped, for elements and quoted attributes. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
	let text = strings[0] ?? "";
	for (const [index, part] of parts.entries()) text += written(part) + (strings[index + 1] ?? "");
	return new Html(text);
}

function written(part: Part): string {
	if (part === undefined) return "";
	if (part instanceof Html) return part.text;
	if (typeof part === "object") return part.map(({ text }) => text).join("");
	return String(part)
		.replace(deceptive, "\ufffd")
		.replace(/[&<>"']/g, (character) => entities[character] ?? "");
}
