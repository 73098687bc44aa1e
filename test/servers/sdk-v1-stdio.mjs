/** A legacy server over stdio, built with the official SDK 1.x. */
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { v1Server } from "./sdk/v1-server.mjs";

const { server } = v1Server();
await server.connect(new StdioServerTransport());
process.stdin.on("end", () => process.exit(0));
