import type { Era } from "./revisions.ts";

/** In which eras a client may send a request of this method. */
const request_eras: Readonly<Record<string, "both" | Era>> = {
	"tools/list": "both",
	"tools/call": "both",
	"resources/list": "both",
	"resources/templates/list": "both",
	"resources/read": "both",
	"prompts/list": "both",
	"prompts/get": "both",
	"completion/complete": "both",
	initialize: "legacy",
	ping: "legacy",
	"logging/setLevel": "legacy",
	"resources/subscribe": "legacy",
	"resources/unsubscribe": "legacy",
	"server/discover": "modern",
	"subscriptions/listen": "modern",
};

/** Whether a method is one of the core protocol, in any revision. */
export function isCoreMethod(method: string): boolean {
	return Object.hasOwn(request_eras, method);
}

/** The lists a catalog is made of, with the member of the result that holds the items. */
export const list_methods = {
	"tools/list": "tools",
	"resources/list": "resources",
	"resources/templates/list": "resourceTemplates",
	"prompts/list": "prompts",
} as const;

/** A method that lists a part of the catalog. */
export type ListMethod = keyof typeof list_methods;

/** True for the four list methods. */
export function isListMethod(method: string): method is ListMethod {
	return Object.hasOwn(list_methods, method);
}

/** Beside the lists: the Skills extension (SEP-2640) has some too. */
const cacheable: ReadonlySet<string> = new Set([
	"resources/read",
	"server/discover",
	"skills/list",
	"skills/get",
	"resources/directory/read",
]);

/** Results that carry `ttlMs` and `cacheScope` in the modern revision (SEP-2549). */
export function isCacheable(method: string): boolean {
	return isListMethod(method) || cacheable.has(method);
}

/**
 * Whether a method of the core protocol exists in an era. A method the core does not know may
 * belong to an extension, which both eras can carry.
 */
export function isSpokenIn(method: string, era: Era): boolean {
	const spoken = Object.hasOwn(request_eras, method) ? request_eras[method] : "both";
	return spoken === "both" || spoken === era;
}
