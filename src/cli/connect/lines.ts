import type { CommandContext } from "../context.ts";
import { typedCommand } from "../self-command.ts";
import { client_kinds } from "./clients.ts";
import { entrySnippet } from "./entry-file.ts";

/** How one client is connected to one address. */
export interface ConnectLine {
	readonly id: string;
	readonly title: string;
	/** Does it on the gateway's machine. */
	readonly command: string;
	/** Where the client keeps its servers, on the gateway's machine. */
	readonly file: string;
	/** What to paste there. */
	readonly snippet: string;
}

/** For every known client, how it is connected to an endpoint of a gateway that runs here. */
export function connectLines(
	context: CommandContext,
	data: string,
): (url: string, endpoint: string) => ConnectLine[] {
	return (url: string, endpoint: string): ConnectLine[] => {
		const one = endpoint === "mcp" ? [] : [endpoint];
		const name = ["moorage", ...one].join("-");
		const self = typedCommand(context.self, context.cwd);
		return client_kinds.map((client) => {
			const [command, ...first] = context.self;
			const args = [...first, "stdio", ...one, "--data", data];
			const entry = client.entry(
				client.connects === "http" ? { kind: "http", url } : { kind: "stdio", command, args },
			);
			const option = one.length === 0 ? "" : ` --endpoint ${endpoint}`;
			return {
				id: client.id,
				title: client.title,
				command: `${self} connect ${client.id}${option}`,
				file: client.path(context),
				snippet: entrySnippet(client, name, entry),
			};
		});
	};
}
