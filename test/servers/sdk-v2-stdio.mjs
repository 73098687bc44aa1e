/** A server over stdio built with the official SDK 2.x: both eras, or `--modern_only`. */
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { v2Server } from "./sdk/v2-server.mjs";

const legacy = process.argv.includes("--modern_only") ? "reject" : "serve";
serveStdio(v2Server, { legacy });
process.stdin.on("end", () => process.exit(0));
