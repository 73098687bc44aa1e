/**
 * Node's own `http`. A module that is imported is looked at name by name, and this one has
 * `WebSocket` among its names: looking at that loads all of Node's `fetch` and HTTP/2, which takes
 * six megabytes of memory, and as much again of Node's program. Nobody looks here.
 */
export const node_http: typeof import("node:http") = process.getBuiltinModule("node:http");
