/**
 * Requests that may be sent again when their fate is unknown: they read, or setting the same
 * thing twice changes nothing. A tool call is never among them.
 */
const repeatable: ReadonlySet<string> = new Set([
	"initialize",
	"ping",
	"server/discover",
	"subscriptions/listen",
	"tools/list",
	"resources/list",
	"resources/templates/list",
	"resources/read",
	"resources/subscribe",
	"resources/unsubscribe",
	"prompts/list",
	"prompts/get",
	"completion/complete",
	"logging/setLevel",
	"tasks/get",
]);

/** Whether a request of this method may be sent a second time. */
export function isRepeatable(method: string | undefined): boolean {
	return method !== undefined && repeatable.has(method);
}
