import type { Era } from "../../protocol/revisions.ts";
import { tasks_extension } from "../bridge/task-ids.ts";

type Capabilities = Readonly<Record<string, unknown>>;

/**
 * What a server can do, as far as the client's era can carry it. Tasks are the one thing that
 * each era has in a way of its own: the capability of 2025-11-25 means nothing to a modern
 * client, and a legacy client cannot declare the extension.
 */
export function offeredHere(capabilities: Capabilities, client_era: Era): Capabilities {
	if (client_era === "modern") return without(capabilities, "tasks");
	const { extensions } = capabilities;
	if (typeof extensions !== "object" || extensions === null) return capabilities;
	if (!Object.hasOwn(extensions, tasks_extension)) return capabilities;
	return { ...capabilities, extensions: without(extensions as Capabilities, tasks_extension) };
}

/** The same with tasks: calls that wait for people are such, whatever their server knows. */
export function withTasks(capabilities: Capabilities): Capabilities {
	const { extensions } = capabilities;
	const known = typeof extensions === "object" && extensions !== null ? extensions : {};
	if (Object.hasOwn(known, tasks_extension)) return capabilities;
	return { ...capabilities, extensions: { ...known, [tasks_extension]: {} } };
}

function without(members: Capabilities, name: string): Capabilities {
	if (!Object.hasOwn(members, name)) return members;
	return Object.fromEntries(Object.entries(members).filter(([key]) => key !== name));
}
