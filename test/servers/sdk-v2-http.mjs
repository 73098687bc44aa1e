/** A server over HTTP built with the official SDK 2.x: both eras, or `--modern_only`. */
import { createServer } from "node:http";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler } from "@modelcontextprotocol/server";
import { listenFree } from "./sdk/listen-free.mjs";
import { v2Server } from "./sdk/v2-server.mjs";

const legacy = process.argv.includes("--modern_only") ? "reject" : "stateless";
listenFree(createServer(toNodeHandler(createMcpHandler(v2Server, { legacy }))));
