import { stringifyExact } from "./exact-json.ts";

/** The same call, as other people would make it. */
export interface Snippet {
	readonly id: string;
	readonly title: string;
	readonly text: string;
}

/** A call of a tool. */
export interface SnippetCall {
	readonly server: string;
	readonly tool: string;
	readonly args: Readonly<Record<string, unknown>>;
}

/**
 * A call of a tool as a command, as a request, and as code.
 * @param identity whether people are told apart, so that a client needs a key
 */
export function snippetsOf(
	origin: string,
	{ server, tool, args }: SnippetCall,
	identity: boolean,
): readonly Snippet[] {
	const json = stringifyExact(args);
	const path = `/api/servers/${encodeURIComponent(server)}/tools/${encodeURIComponent(tool)}/call`;
	const indented = stringifyExact({ name: tool, arguments: args }, "\t");
	return [
		{
			id: "cli",
			title: "Command line",
			text: `moorage call ${quoted(server)} ${quoted(tool)} --args ${quoted(json)}`,
		},
		{
			id: "curl",
			title: "curl",
			text: [
				`curl -H "Authorization: Bearer $MOORAGE_TOKEN" \\`,
				`  --json ${quoted(json)} \\`,
				`  ${quoted(origin + path)}`,
			].join("\n"),
		},
		{
			id: "sdk",
			title: "TypeScript SDK",
			text: [
				'import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";',
				"",
				'const client = new Client({ name: "my-client", version: "1.0.0" });',
				`const address = new URL(${JSON.stringify(`${origin}/${server}/mcp`)});`,
				...(identity
					? [
							"const headers = { authorization: `Bearer ${process.env.MOORAGE_KEY}` };",
							"const transport = new StreamableHTTPClientTransport(address, { requestInit: { headers } });",
						]
					: ["const transport = new StreamableHTTPClientTransport(address);"]),
				"await client.connect(transport);",
				`const result = await client.callTool(${indented});`,
				"console.log(result.content);",
				"await client.close();",
			].join("\n"),
		},
	];
}

/** One word of a POSIX shell, whatever is in it. */
export function quoted(text: string): string {
	return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
