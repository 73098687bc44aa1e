import assert from "node:assert/strict";
import type { Era, Feature, Trial } from "../cell.ts";
import { tasks_extension } from "../expected.ts";

const extensions = { [tasks_extension]: {} };

/** The Tasks extension: the server decides, the client looks until the task is over. */
async function modernTask({ peer, key }: Trial): Promise<void> {
	const params = { name: "job", arguments: { label: key } };
	const started = await peer.wire("tools/call", params, extensions);
	assert.equal(started.result?.resultType, "task", JSON.stringify(started));
	const { taskId } = started.result;
	const got = await peer.wire("tasks/get", { taskId }, extensions);
	assert.equal(got.result?.status, "completed", JSON.stringify(got));
	assert.equal(got.result.result.content[0].text, `done ${key}`);
	const cancelled = await peer.wire("tasks/cancel", { taskId }, extensions);
	assert.equal(cancelled.error, undefined);
}

/** Tasks of revision 2025-11-25: the client asks for one with the call. */
async function legacyTask({ peer, key }: Trial): Promise<void> {
	const params = { name: "job", arguments: { label: key }, task: { ttl: 60_000 } };
	const started = await peer.wire("tools/call", params);
	const taskId = started.result?.task?.taskId;
	assert.equal(typeof taskId, "string", JSON.stringify(started));
	const got = await peer.wire("tasks/get", { taskId });
	assert.equal(got.result?.status, "completed", JSON.stringify(got));
	const { result } = await peer.wire("tasks/result", { taskId });
	assert.equal(result?.content[0].text, `done ${key}`);
}

/** Between the eras a job is a plain call, and asking for its task is refused. */
async function refused({ peer, key }: Trial): Promise<void> {
	const { content } = await peer.call("job", { label: key });
	assert.equal(content[0].text, `done ${key}`);
	const { error } = await peer.wire("tasks/get", { taskId: "none" }, extensions);
	assert.equal(error?.code, -32601, JSON.stringify(error));
}

export const tasks: Feature = {
	name: "tasks",
	run: (trial) => (trial.peer.era === "modern" ? modernTask(trial) : legacyTask(trial)),
	ruling: {
		why(client: Era, server: Era) {
			if (client === server) return undefined;
			return client === "modern"
				? "2025-11-25 has no Tasks extension (SEP-2663); its own basic/utilities/tasks is asked for by the client with params.task, which 2026-07-28 does not have"
				: "2025-11-25 cannot declare the Tasks extension (SEP-2663) with a request (basic, _meta clientCapabilities), without which no server may answer with a task";
		},
		refused,
	},
};
