/** Changes its list: `add_tool` and `remove_tool` take a name and announce the change. */
import { describe, serve, text, toolServer } from "./wire/serve.mjs";

const added = new Set();
const fixed = ["add_tool", "remove_tool"];

function changed(call, change) {
	const done = change(String(call.arguments.name));
	call.peer.push("notifications/tools/list_changed", "{}");
	return text(String(done));
}

const base = toolServer("list-changing", [
	{ name: "add_tool", call: (call) => changed(call, (name) => added.add(name).size) },
	{ name: "remove_tool", call: (call) => changed(call, (name) => added.delete(name)) },
]);

serve({
	...base,
	handle(call) {
		const { method, params } = call.message;
		if (method === "tools/list") {
			const names = [...fixed, ...added];
			return `{"tools":[${names.map((name) => describe({ name })).join(",")}]}`;
		}
		if (method === "tools/call" && added.has(params.name)) return text(`I am ${params.name}`);
		return base.handle(call);
	},
});
