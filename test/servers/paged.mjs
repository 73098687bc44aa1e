/**
 * Offers `--tools N` tools in pages of `--page N`, with cursors that are awkward texts, and a
 * resource and a template beside them. Every tool answers with its own name.
 */
import { describe, serve, text, toolServer, unknownTool } from "./wire/serve.mjs";

const option = (name) => {
	const at = process.argv.indexOf(name);
	const [, value] = process.argv.splice(at, 2);
	return Number(value);
};
const count = option("--tools");
const page = option("--page");

/** A cursor means nothing to a client: any text will do, also an odd one. */
function page_at(cursor) {
	const { offset } = cursor === undefined ? { offset: 0 } : JSON.parse(cursor);
	const names = [];
	for (let at = offset; at < Math.min(offset + page, count); at += 1) names.push(`tool-${at}`);
	const tools = names.map((name) => describe({ name })).join(",");
	if (offset + page >= count) return `{"tools":[${tools}]}`;
	const next = JSON.stringify(JSON.stringify({ offset: offset + page, é: "\u2028" }));
	return `{"tools":[${tools}],"nextCursor":${next}}`;
}

const base = toolServer("paged", []);

serve({
	...base,
	capabilities: '{"tools":{},"resources":{},"completions":{}}',
	handle(call) {
		const { method, params } = call.message;
		switch (method) {
			case "tools/list":
				return page_at(params?.cursor);
			case "tools/call":
				return /^tool-\d+$/.test(params.name) ? text(params.name) : unknownTool(params.name);
			case "resources/list":
				return '{"resources":[{"uri":"paged://0","name":"zero"}]}';
			case "resources/templates/list":
				return '{"resourceTemplates":[{"uriTemplate":"paged://{n}","name":"pages"}]}';
			case "resources/read":
				return `{"contents":[{"uri":"${params.uri}","text":"content of ${params.uri}"}]}`;
			case "completion/complete":
				return `{"completion":{"values":["${params.ref.uri}"]}}`;
			default:
				return base.handle(call);
		}
	},
});
