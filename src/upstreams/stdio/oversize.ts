/**
 * Which call a reply belongs to that is too long to be kept. All there is of it are its first
 * and its last bytes. Servers write the id of a reply before the result or right behind it;
 * both are found when they stand as a member of the envelope, and nothing is guessed.
 */

const version = '"jsonrpc"\\s*:\\s*"2\\.0"\\s*,\\s*';
const id = '"id"\\s*:\\s*(\\d{1,15})\\s*';

/** `{"jsonrpc":"2.0","id":12,"result":` in any order of the first two. */
const id_first = new RegExp(
	`^\\s*\\{\\s*(?:${version})?${id},\\s*(?:${version})?"(?:result|error)"\\s*:`,
);

/** A message that begins with its result or error is a reply. */
const reply_first = new RegExp(`^\\s*\\{\\s*(?:${version})?"(?:result|error)"\\s*:`);

/**
 * `,"id":12}` or `,"id":12,"jsonrpc":"2.0"}` at the very end. The last brace closes the
 * envelope, so that what stands before it is a member of the envelope and no part of a string.
 */
const id_last = new RegExp(`,\\s*${id}(?:,\\s*"jsonrpc"\\s*:\\s*"2\\.0"\\s*)?\\}\\s*$`);

/** The id of this hop in a reply known by its ends only; undefined when it does not show. */
export function idOfOversize(head: Buffer, tail: Buffer): number | undefined {
	const start = head.toString("latin1");
	const first = id_first.exec(start);
	if (first !== null) return Number(first[1]);
	if (!reply_first.test(start)) return undefined;
	const last = id_last.exec(tail.toString("latin1"));
	return last === null ? undefined : Number(last[1]);
}
