/** Prompts and resource templates, with completions for all of them. */
import { serve, toolServer } from "./wire/serve.mjs";

const base = toolServer("completing", []);

serve({
	...base,
	capabilities: '{"tools":{},"prompts":{},"resources":{},"completions":{}}',
	handle(call) {
		switch (call.message.method) {
			case "prompts/list":
				return '{"prompts":[{"name":"open"},{"name":"hidden"}]}';
			case "resources/list":
				return '{"resources":[]}';
			case "resources/templates/list":
				return '{"resourceTemplates":[{"uriTemplate":"secret://{id}","name":"secrets"}]}';
			case "completion/complete":
				return '{"completion":{"values":["completed"]}}';
			default:
				return base.handle(call);
		}
	},
});
