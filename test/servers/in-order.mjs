/** Its tool `heard` tells the methods that this process was asked so far, itself included. */
import { serve, text, toolServer } from "./wire/serve.mjs";

const heard = [];
const server = toolServer("in-order", [{ name: "heard", call: () => text(heard.join(" ")) }]);

serve({
	...server,
	handle(call) {
		heard.push(call.message.method);
		return server.handle(call);
	},
});
