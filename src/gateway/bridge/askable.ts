import { rpc_codes } from "../../protocol/codes.ts";
import { readJsonText } from "../../wire/object.ts";

/** What a client has to declare before a server may ask it something (lifecycle, 2025-11-25). */
const needed: Readonly<Record<string, string>> = {
	"elicitation/create": "elicitation",
	"roots/list": "roots",
	"sampling/createMessage": "sampling",
};

/** A question that may not be asked. */
export interface Unaskable {
	/** For the server's log: continues "it ...". */
	readonly text: string;
	/** The error that the server is answered with: raw JSON. */
	readonly json: string;
}

/**
 * Why a server may not ask this; undefined where it may. `capabilities` is what the server was told
 * that its client can do: a client is never asked what it has not declared.
 */
export function unaskable(method: string | undefined, capabilities: string): Unaskable | undefined {
	const name = Object.hasOwn(needed, method ?? "") ? needed[method as string] : undefined;
	if (name === undefined) return undefined;
	const declared = readJsonText(capabilities) as Record<string, unknown>;
	if (typeof declared[name] === "object" && declared[name] !== null) return undefined;
	const message = `The client did not declare the capability "${name}", so it cannot be asked this.`;
	return {
		text: `asked ${method} of clients that did not declare "${name}"; it was refused`,
		json: JSON.stringify({ code: rpc_codes.method_not_found, message }),
	};
}
