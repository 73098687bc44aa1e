/**
 * Has a resource and a list of tools that change, in either era: `touch` updates the resource,
 * `add_tool` and `remove_tool` change the list, `watchers` answers with the number of
 * subscriptions to the resource once it is `count`, `exit` ends the process.
 */
import { describe, serve, text, toolServer } from "./wire/serve.mjs";

const uri = "counter://value";
const tag = "io.modelcontextprotocol/subscriptionId";
const added = new Set();
/** Who listens: a tell function for each subscription, legacy and modern. */
const watching = new Map();
/** Everybody who hears of list changes. */
const peers = new Set();
const listening = new Set();
let changed = () => {};

function watch(key, tell) {
	if (tell === undefined) watching.delete(key);
	else watching.set(key, tell);
	changed();
}

function announce() {
	for (const peer of peers) peer.push("notifications/tools/list_changed", "{}");
	for (const { call, filter } of listening) {
		if (filter.toolsListChanged) tell(call, "notifications/tools/list_changed", {});
	}
}

function tell(call, method, params) {
	const tagged = { ...params, _meta: { [tag]: call.message.id } };
	call.notify(method, JSON.stringify(tagged));
}

const tools = [
	{
		name: "touch",
		call: () => {
			for (const told of watching.values()) told();
			return text("touched");
		},
	},
	{
		name: "watchers",
		// Answers once there are that many, so that nobody has to poll.
		call: async ({ arguments: { count } }) => {
			while (watching.size !== count) {
				await new Promise((resolve) => {
					changed = resolve;
				});
			}
			return text(String(watching.size));
		},
	},
	{
		name: "add_tool",
		call: ({ arguments: { name } }) => {
			added.add(name);
			announce();
			return text("added");
		},
	},
	{
		name: "remove_tool",
		call: ({ arguments: { name } }) => {
			added.delete(name);
			announce();
			return text("removed");
		},
	},
	{ name: "exit", call: () => process.exit(0) },
];

const base = toolServer("watched", tools);

/** `subscriptions/listen`: acknowledged, then open until it is cancelled. */
function listen(call) {
	const filter = call.message.params.notifications;
	const { prompts, promptsListChanged, ...can } = filter;
	tell(call, "notifications/subscriptions/acknowledged", { notifications: can });
	const entry = { call, filter };
	listening.add(entry);
	const update = () => tell(call, "notifications/resources/updated", { uri });
	const watches = filter.resourceSubscriptions?.includes(uri) === true;
	if (watches) watch(entry, update);
	return call.cancelled.then(() => {
		listening.delete(entry);
		if (watches) watch(entry, undefined);
	});
}

serve({
	...base,
	capabilities: '{"tools":{"listChanged":true},"resources":{"subscribe":true}}',
	handle(call) {
		const { method, params } = call.message;
		switch (method) {
			case "tools/list":
				return `{"tools":[${[...tools, ...[...added].map((name) => ({ name }))].map(describe).join(",")}]}`;
			case "tools/call":
				return added.has(params.name) ? text(`I am ${params.name}`) : base.handle(call);
			case "resources/list":
				return `{"resources":[{"uri":"${uri}","name":"counter"}]}`;
			case "resources/templates/list":
				return '{"resourceTemplates":[]}';
			case "resources/subscribe":
				if (params.uri !== uri) return { error: '{"code":-32602,"message":"Not this one"}' };
				watch(call.peer, () =>
					call.peer.push("notifications/resources/updated", `{"uri":"${uri}"}`),
				);
				return "{}";
			case "resources/unsubscribe":
				watch(call.peer, undefined);
				return "{}";
			case "subscriptions/listen":
				return listen(call);
			default:
				return base.handle(call);
		}
	},
	notified(message, peer) {
		if (message.method === "notifications/initialized") peers.add(peer);
	},
});
