/** How a call is told of in a chat: the same for all of them. */

/** Characters that hide, or turn the direction of writing: nobody could see what they agree to. */
const deceptive = /[\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff`]/g;

/** The same JSON with such characters, and what ends a block of code, written as escapes. */
export function readable(json) {
	return json.replace(deceptive, (character) => {
		return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
	});
}

/** A name that others have chosen, as one line of plain text. */
export function plain(text) {
	return text.replace(deceptive, "?").replace(/\s+/g, " ");
}

/** Lines about a call that waits. */
export function linesOf(call) {
	const { server, tool, risk, principal, made_by, client_name, rule, needed, expires } = call;
	return [
		`${plain(server)}: ${plain(tool)}${risk === undefined ? "" : ` (${risk})`}`,
		`asked for by ${plain(principal)}, with ${plain(client_name) || "an unnamed client"}`,
		...(made_by === undefined ? [] : [`made in that name by ${plain(made_by)}`]),
		...(rule === undefined ? [] : [`because of ${plain(rule)}`]),
		`needs ${needed === 1 ? "one person" : `${needed} people`}, until ${expires}`,
	];
}

/**
 * The arguments as a person may agree to them; undefined where the chat cannot show them whole, and
 * the decision is for the approval's page.
 */
export function argumentsOf({ arguments_json, arguments_shown }, chars_max) {
	if (arguments_shown !== "whole") return undefined;
	const json = readable(arguments_json);
	return json.length <= chars_max ? json : undefined;
}

/** What became of a call, in a sentence. */
export function outcomeOf({ type, data: { approval, server, tool, votes } }) {
	const [, state] = type.split(".");
	const by = votes.map(({ approver, person, reason }) => {
		return `${plain(person ?? approver)}${reason === undefined ? "" : ` (${plain(reason)})`}`;
	});
	const whom = by.length === 0 ? "" : ` by ${by.join(", ")}`;
	return `${plain(server)}: ${plain(tool)}, ${approval}: ${state}${whom}`;
}

/** Posts JSON to a chat; its answer. Throws where the chat does not take it. */
export async function post(url, headers, body) {
	const answer = await fetch(url, {
		method: "POST",
		headers: { "content-type": "application/json", ...headers },
		body: JSON.stringify(body),
		signal: AbortSignal.timeout(10_000),
	});
	if (!answer.ok) throw new Error(`The chat answered with HTTP status ${answer.status}.`);
	return answer.text();
}
