/** Characters that hide, or turn the writing direction, and are no space between JSON's values. */
const deceptive = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]|\p{Default_Ignorable_Code_Point}/gu;

/**
 * The same JSON in which nothing hides: what cannot be seen, or makes its surroundings be read
 * otherwise, is written as an escape. For people who agree to exactly that.
 */
export function visibleJson(json: string): string {
	return json.replaceAll("\r", " ").replace(deceptive, escaped);
}

/** As JSON writes it without its character: a character beyond the first 65,536 is two escapes. */
function escaped(character: string): string {
	const units = character.split("").map((unit) => unit.charCodeAt(0).toString(16).padStart(4, "0"));
	return units.map((unit) => `\\u${unit}`).join("");
}
