import assert from "node:assert/strict";
import type { Feature } from "../cell.ts";
import { watched_uri } from "../expected.ts";
import type { Peer } from "../peer.ts";

const log_level_key = "io.modelcontextprotocol/logLevel";

/** Resolves when a notification of the method satisfies; call it before what causes it. */
function heard<T>(
	peer: Peer,
	method: string,
	look: (params: never) => Promise<T | undefined> | T | undefined,
): Promise<T> {
	const { promise, resolve, reject } = Promise.withResolvers<T>();
	const stop = peer.on(method, (params) => {
		void (async () => {
			const found = await look(params as never);
			if (found !== undefined) resolve(found);
		})().catch(reject);
	});
	return promise.finally(stop);
}

/** Each step is seen before the server takes the next. */
export const progress: Feature = {
	name: "progress",
	async run({ peer, key }) {
		const seen: number[] = [];
		const told: Promise<unknown>[] = [];
		const onprogress = (now: { progress: number }) => {
			seen.push(now.progress);
			told.push(peer.call("seen", { key: `count-${key}`, step: now.progress }));
		};
		await peer.call("count", { steps: 3, key: `count-${key}` }, { onprogress });
		await Promise.all(told);
		assert.deepEqual(seen, [1, 2, 3]);
	},
};

/** The server hears of it, and the client's call ends. */
export const cancellation: Feature = {
	name: "cancellation",
	async run({ peer, key }) {
		const cancel = new AbortController();
		const onprogress = () => cancel.abort(new Error("enough"));
		const call = peer.call("wait", { key }, { signal: cancel.signal, onprogress });
		await assert.rejects(call);
		const { content } = await peer.call("was_cancelled", { key });
		assert.equal(content[0].text, "yes");
	},
};

export const resource_subscription: Feature = {
	name: "resource subscription",
	async run({ peer }) {
		const stop = await peer.watch(watched_uri);
		const told = heard(peer, "notifications/resources/updated", ({ uri }: { uri: string }) =>
			uri === watched_uri ? true : undefined,
		);
		await peer.call("touch");
		await told;
		await stop();
	},
};

/** A tool comes and goes, and the client hears of both in time to see it in the list. */
export const list_changes: Feature = {
	name: "list changes",
	async run({ peer, key }) {
		const stop = await peer.watch(watched_uri);
		const name = `extra_${key}`;
		const until = (there: boolean) =>
			heard(peer, "notifications/tools/list_changed", async () => {
				const { tools } = await peer.request("tools/list");
				const found = tools.some((tool: { name: string }) => tool.name === name);
				return found === there ? true : undefined;
			});
		const came = until(true);
		await peer.call("add_tool", { name });
		await came;
		const { content } = await peer.call(name);
		assert.equal(content[0].text, "I was added.");
		const went = until(false);
		await peer.call("remove_tool", { name });
		await went;
		await stop();
	},
};

/** The client hears what it asked for, and nothing below it. */
export const logging: Feature = {
	name: "logging",
	async run({ peer, key }) {
		const seen: string[] = [];
		const done = heard(
			peer,
			"notifications/message",
			({ level, data }: { level: string; data: unknown }) => {
				if (data !== key) return undefined;
				seen.push(level);
				return level === "warning" ? true : undefined;
			},
		);
		if (peer.era === "legacy") await peer.request("logging/setLevel", { level: "info" });
		const meta = peer.era === "modern" ? { [log_level_key]: "info" } : undefined;
		await peer.call("talk", { key }, {}, meta);
		await done;
		assert.deepEqual(seen, ["info", "warning"]);
	},
};
