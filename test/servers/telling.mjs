/**
 * Tells of what it does outside of any call: `say` answers, and what it was told is in a log
 * message and in a notification of its own afterwards.
 */
import { serve, text, toolServer } from "./wire/serve.mjs";

const say = ({ peer, arguments: { words } }) => {
	setImmediate(() => {
		const data = JSON.stringify({ level: "info", data: `somebody said ${words}` });
		peer.push("notifications/message", data);
	});
	return text("said");
};

serve({
	...toolServer("telling", [{ name: "say", call: say }]),
	capabilities: '{"tools":{},"logging":{}}',
});
