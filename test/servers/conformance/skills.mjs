/**
 * A server with the Skills extension (SEP-2640), built with SDK 2.x, over stdio or, with
 * `--http`, HTTP. It speaks the modern era only.
 */
import { createServer } from "node:http";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { memorySkillFiles, SkillsExtension } from "@modelcontextprotocol/server/ext/skills";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { listenFree } from "../sdk/listen-free.mjs";

const skill = (name, description) =>
	`---\nname: ${name}\ndescription: ${description}\n---\n\n# ${name}\n\n${description}\n`;

const skills = await SkillsExtension.load(
	memorySkillFiles({
		"greeting/SKILL.md": skill("greeting", "How to greet people."),
		"greeting/references/formal.md": "Good day.\n",
		"greeting/references/informal.md": "Hi.\n",
		"parting/SKILL.md": skill("parting", "How to say goodbye."),
	}),
);

function skillsServer() {
	const server = new McpServer({ name: "conformance-skills", version: "1.0.0" });
	skills.attach(server);
	return server;
}

if (process.argv.includes("--http")) {
	listenFree(createServer(toNodeHandler(createMcpHandler(skillsServer, { legacy: "reject" }))));
} else {
	serveStdio(skillsServer, { legacy: "reject" });
	process.stdin.on("end", () => process.exit(0));
}
