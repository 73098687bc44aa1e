import { createHmac, timingSafeEqual } from "node:crypto";
import { name_separator } from "../../protocol/names.ts";

/** The Tasks extension (SEP-2663). */
export const tasks_extension = "io.modelcontextprotocol/tasks";

/** True when these capabilities name the Tasks extension. */
export function declaresTasks(capabilities: unknown): boolean {
	const { extensions } = capabilities as { extensions?: Record<string, unknown> | null };
	return typeof extensions === "object" && extensions?.[tasks_extension] !== undefined;
}

/** What an exposed task id stands for. */
export interface TaskPlace {
	readonly server: string;
	/** The server's own id. */
	readonly task_id: string;
}

/** Where calls are that wait for people: a place whose name no server can have. */
export const approval_place = "~approvals";

const mark_chars = 22;
const exposed_form = /^([A-Za-z0-9._-]{22})\.(.+)$/s;

/**
 * Ids of tasks as clients know them (SEP-2663): the id says which server made the
 * task, and bears a mark that only its owner's requests agree with. The same task always has
 * the same id, and nothing is kept, so a task is found again after a restart.
 */
export class TaskIds {
	readonly #key: Buffer;

	constructor(key: Buffer) {
		this.#key = key;
	}

	/** The id that an owner sees. */
	expose(owner: string, { server, task_id }: TaskPlace): string {
		const named = `${server}${name_separator}${task_id}`;
		return `${this.#mark(owner, named)}.${named}`;
	}

	/** The task behind an id; undefined when it is no id of this owner's. */
	open(owner: string, exposed: string): TaskPlace | undefined {
		const [, mark = "", named = ""] = exposed_form.exec(exposed) ?? [];
		const split = named.indexOf(name_separator);
		if (split <= 0) return undefined;
		const wanted = Buffer.from(this.#mark(owner, named));
		if (!timingSafeEqual(wanted, Buffer.from(mark))) return undefined;
		const task_id = named.slice(split + name_separator.length);
		return { server: named.slice(0, split), task_id };
	}

	#mark(owner: string, named: string): string {
		const text = JSON.stringify(["task", owner, named]);
		return createHmac("sha256", this.#key).update(text).digest("base64url").slice(0, mark_chars);
	}
}
