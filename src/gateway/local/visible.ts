import type { ListedKind } from "../../policy/check.ts";
import type { ListMethod } from "../../protocol/methods.ts";
import type { Call } from "../call.ts";
import type { GatewayContext } from "../context.ts";

const listed_kind: Readonly<Record<ListMethod, ListedKind>> = {
	"tools/list": "tool",
	"resources/list": "resource",
	"resources/templates/list": "resource",
	"prompts/list": "prompt",
};

/**
 * Whether a list may show who asks an item of a server: what the checks would refuse whatever its
 * arguments were stays out.
 * @param name the server's own name of the item
 */
export function isVisible(
	call: Pick<Call, "principal" | "endpoint">,
	server: string,
	method: ListMethod,
	name: string,
	context: GatewayContext,
): boolean {
	if (!context.filters_lists) return true;
	const item = { endpoint: call.endpoint.name, server, kind: listed_kind[method], name };
	return context.mayList(call.principal, item);
}
