/** The same call, as other people would make it. */
export interface Snippet {
	readonly id: string;
	readonly title: string;
	readonly text: string;
}

/** A call of a tool as a command, as a request, and as code. */
export function snippetsOf(
	origin: string,
	server: string,
	tool: string,
	args: Readonly<Record<string, unknown>>,
): readonly Snippet[] {
	const json = JSON.stringify(args);
	const path = `/api/servers/${encodeURIComponent(server)}/tools/${encodeURIComponent(tool)}/call`;
	const indented = JSON.stringify({ name: tool, arguments: args }, undefined, "\t");
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
				"await client.connect(new StreamableHTTPClientTransport(address));",
				`const result = await client.callTool(${indented});`,
				"console.log(result.content);",
			].join("\n"),
		},
	];
}

/** One word of a POSIX shell, whatever is in it. */
export function quoted(text: string): string {
	return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
