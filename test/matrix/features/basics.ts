import assert from "node:assert/strict";
import type { Feature } from "../cell.ts";
import { extension_name } from "../expected.ts";

/** The handshake of either era, and what the server says of itself in it. */
export const hello: Feature = {
	name: "discover or initialize",
	async run({ peer, server_era }) {
		if (peer.revision !== undefined) {
			assert.equal(peer.revision, peer.era === "modern" ? "2026-07-28" : "2025-11-25");
		}
		assert.equal(peer.server_name, `matrix-${server_era}`);
		const { tools, resources, logging } = peer.server_capabilities;
		assert.equal(tools.listChanged, true);
		assert.equal(resources.subscribe, true);
		assert.deepEqual(logging, {});
	},
};

export const list_and_call: Feature = {
	name: "list and call",
	async run({ peer, key }) {
		const { tools } = await peer.request("tools/list");
		assert.ok(tools.some(({ name }: { name: string }) => name === "echo"));
		const { content } = await peer.call("echo", { text: key });
		assert.deepEqual(content, [{ type: "text", text: key }]);
	},
};

export const structured_output: Feature = {
	name: "structured output",
	async run({ peer }) {
		const { tools } = await peer.request("tools/list");
		const tool = tools.find(({ name }: { name: string }) => name === "add");
		assert.deepEqual(tool.outputSchema.required, ["sum"]);
		const { structuredContent } = await peer.call("add", { a: 2, b: 3 });
		assert.deepEqual(structuredContent, { sum: 5 });
	},
};

/** Failures of tools are results; everything else has the error code of the client's era. */
export const errors: Feature = {
	name: "errors",
	async run({ peer }) {
		const failed = await peer.call("fail");
		assert.equal(failed.isError, true);
		await assert.rejects(peer.call("no_such_tool"), { code: -32602 });
		const missing = peer.request("resources/read", { uri: "matrix://nowhere" });
		await assert.rejects(missing, (error: { code?: unknown }) =>
			// SDK 2.x shows both codes as the one of its error class.
			peer.era === "modern" ? error.code === -32602 : [-32002, -32602].includes(Number(error.code)),
		);
		const { error } = await peer.wire("no/such/method");
		assert.equal(error?.code, -32601);
	},
};

/** The result is larger than any buffer on its way. */
export const big_result: Feature = {
	name: "a 5 MB result",
	async run({ peer }) {
		const { content } = await peer.call("big");
		assert.equal(content[0].text.length, 5 * 1024 * 1024);
	},
};

export const unknown_extension: Feature = {
	name: "an unknown extension",
	async run({ peer }) {
		assert.deepEqual(peer.server_capabilities.extensions?.[extension_name] ?? { depth: 3 }, {
			depth: 3,
		});
		const params = { text: "abc", deep: { list: [1, null, "x"] } };
		const extensions = { [extension_name]: { colour: "blue" } };
		const { result } = await peer.wire("com.example/reverse", params, extensions);
		assert.equal(result?.text, "cba");
		assert.deepEqual(result?.others, { deep: { list: [1, null, "x"] } });
	},
};
