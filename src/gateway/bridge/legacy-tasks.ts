import type { Edit, Message, Span } from "../../wire/message.ts";
import { indexArray, indexObject, memberSpan, rawText, readString } from "../../wire/object.ts";
import { applyEdits, replaceSpan } from "../../wire/splice.ts";

/**
 * Tasks of revision 2025-11-25 (basic, tasks): where their ids stand. They belong to whoever
 * asked for them; that an instance serves several clients is nothing its server knows.
 */

/** Requests that name a task in `params.taskId`. */
const asking = /^tasks\/(?:get|result|cancel)$/;

/** News of a task that nobody has asked for. */
export const task_status = "notifications/tasks/status";

const related_key = "io.modelcontextprotocol/related-task";

/** Most tasks that are remembered; the oldest are forgotten first. */
const owned_max = 10_000;

/** True of a request about one task. */
export function asksForTask(method: string): boolean {
	return asking.test(method);
}

/** Which tasks were made for whom, as far as this run of the gateway has seen them made. */
export class OwnedTasks {
	readonly #keys = new Set<string>();

	note(owner: string, server: string, task_id: string): void {
		this.#keys.add(keyOf(owner, server, task_id));
		if (this.#keys.size <= owned_max) return;
		for (const oldest of this.#keys) {
			this.#keys.delete(oldest);
			return;
		}
	}

	has(owner: string, server: string, task_id: string): boolean {
		return this.#keys.has(keyOf(owner, server, task_id));
	}
}

function keyOf(...parts: string[]): string {
	return JSON.stringify(parts);
}

/** How the ids of a server's tasks are seen by one client. */
export interface TaskView {
	/** True of a task that was made for this client. */
	owns(task_id: string): boolean;
	/** Notes a task that was made for this client. */
	note(task_id: string): void;
	/** The id that this client knows. */
	expose(task_id: string): string;
}

/** False where a result certainly names no task, which is nearly always. */
export function mayNameTask(request: Message, reply: Message): boolean {
	if (reply.meta !== undefined || request.method?.startsWith("tasks/") === true) return true;
	return memberSpan(request.params, "task") !== undefined;
}

/** The changes that make a server's result one for this client. `request` is what was asked. */
export function taskResultEdits(request: Message, reply: Message, view: TaskView): Edit[] {
	const { bytes, result, meta } = reply;
	const edits = exposed(bytes, relatedTask(bytes, meta), view);
	if (request.method === "tasks/list") {
		const list = memberSpan(result, "tasks");
		if (list !== undefined) edits.push(ownTasks(bytes, list, view));
	} else if (asksForTask(request.method ?? "")) {
		edits.push(...exposed(bytes, memberSpan(result, "taskId"), view));
	} else if (memberSpan(request.params, "task") !== undefined) {
		const made = memberSpan(result, "task");
		const span = made === undefined ? undefined : memberSpan(indexObject(bytes, made), "taskId");
		const task_id = readString(bytes, span);
		if (task_id !== undefined) view.note(task_id);
		edits.push(...exposed(bytes, span, view));
	}
	return edits;
}

/**
 * The changes that make a server's own message, sent while it serves this client, one for this
 * client; undefined when it tells of a task of somebody else.
 */
export function taskMessageEdits(message: Message, view: TaskView): Edit[] | undefined {
	const { bytes, method, params, meta } = message;
	const edits = exposed(bytes, relatedTask(bytes, meta), view);
	if (method !== task_status) return edits;
	const span = memberSpan(params, "taskId");
	const task_id = readString(bytes, span);
	if (task_id === undefined || !view.owns(task_id)) return undefined;
	return [...edits, ...exposed(bytes, span, view)];
}

/** The array without the tasks of others, which a server of several clients cannot tell apart. */
function ownTasks(bytes: Buffer, list: Span, view: TaskView): Edit {
	const own: string[] = [];
	for (const item of indexArray(bytes, list) ?? []) {
		const span = memberSpan(indexObject(bytes, item), "taskId");
		const task_id = readString(bytes, span);
		if (span === undefined || task_id === undefined || !view.owns(task_id)) continue;
		const alone = bytes.subarray(item.start, item.end);
		const place = { start: span.start - item.start, end: span.end - item.start };
		const id = JSON.stringify(view.expose(task_id));
		own.push(applyEdits(alone, [replaceSpan(place, id)]).toString("utf8"));
	}
	return replaceSpan(list, `[${own.join(",")}]`);
}

function relatedTask(bytes: Buffer, meta: Message["meta"]): Span | undefined {
	const related = memberSpan(meta, related_key);
	if (related === undefined || rawText(bytes, related)[0] !== "{") return undefined;
	return memberSpan(indexObject(bytes, related), "taskId");
}

function exposed(bytes: Buffer, span: Span | undefined, view: TaskView): Edit[] {
	const task_id = readString(bytes, span);
	if (span === undefined || task_id === undefined) return [];
	return [replaceSpan(span, JSON.stringify(view.expose(task_id)))];
}
