import type { Principal } from "../identity/principal.ts";
import { name_separator } from "../protocol/names.ts";
import type { CheckedCall, Listed } from "./check.ts";

/** What an off switch can switch off. */
export const kill_kinds = ["tool", "server", "client", "user", "tenant", "writes", "all"] as const;

/** One of the kinds. */
export type KillKind = (typeof kill_kinds)[number];

/** What an off switch switches off. */
export interface KillTarget {
	readonly kind: KillKind;
	/**
	 * `tool`: `SERVER__TOOL`. `server` and `tenant`: its name. `client`: what was authenticated, such
	 * as `key:laptop`. `user`: `TENANT/USER`, or a user of any tenant. `writes`: a server, or all of
	 * them where it is absent. `all`: absent.
	 */
	readonly name: string | undefined;
}

/** What a switch looks at of a call, or of the call that became a task. */
export type Stoppable = Pick<
	CheckedCall,
	"principal" | "made_by" | "server" | "method" | "name" | "tool"
>;

/** Names longer than this are none. */
export const kill_name_chars_max = 512;

/** The target as one text; equal for equal targets. */
export function killId({ kind, name }: KillTarget): string {
	return name === undefined ? kind : `${kind}:${name}`;
}

/** Why there is no such target: a sentence; undefined where there is. */
export function targetProblem({ kind, name }: KillTarget): string | undefined {
	if (kind === "all") return name === undefined ? undefined : "Everything has no name.";
	if (kind === "writes" && name === undefined) return undefined;
	if (name === undefined || name === "") return `Say which ${kind}: it has a name.`;
	if (name.length > kill_name_chars_max) return `No ${kind} has a name as long as this.`;
	if (kind === "tool" && !name.includes(name_separator)) {
		return `A tool is named with its server: SERVER${name_separator}TOOL.`;
	}
	return undefined;
}

/** A target in words: `the tool "github__delete"`. */
export function describeTarget({ kind, name }: KillTarget): string {
	switch (kind) {
		case "all":
			return "everything";
		case "writes":
			return name === undefined
				? "every tool that changes something"
				: `what changes something on "${name}"`;
		default:
			return `the ${kind} "${name}"`;
	}
}

/** Whether a target is this person, or what was authenticated in the person's name. */
export function coversCaller({ kind, name }: KillTarget, who: Principal): boolean {
	switch (kind) {
		case "all":
			return true;
		case "tenant":
			return who.tenant === name;
		case "client":
			return who.client === name;
		case "user":
			return who.id === name || who.user === name;
		default:
			return false;
	}
}

/** A server, and the one that it is a copy of; itself where it is none. */
export interface ServerNames {
	readonly server: string;
	readonly origin?: string | undefined;
}

/** Whether a target is this server as a whole. What is said of a server holds for its copies. */
export function coversServer({ kind, name }: KillTarget, server: ServerNames): boolean {
	return kind === "all" || (kind === "server" && isNamed(name, server));
}

function isNamed(name: string | undefined, { server, origin }: ServerNames): boolean {
	return name === server || (origin !== undefined && name === origin);
}

/** Whether a call is switched off by a target. */
export function coversCall(target: KillTarget, call: Stoppable, origin?: string): boolean {
	const { principal, made_by } = call;
	const names = { server: call.server, origin };
	if (coversCaller(target, principal) || coversServer(target, names)) return true;
	if (made_by !== undefined && coversCaller(target, made_by)) return true;
	const { kind, name } = target;
	if (kind === "tool") {
		return call.method === "tools/call" && isTool(name, names, call.name);
	}
	if (kind !== "writes" || (name !== undefined && !isNamed(name, names))) return false;
	// A tool that nothing is known of may change anything; a task is told more by `tasks/update`.
	if (call.method === "tools/call") return call.tool?.risk !== "read";
	return call.method === "tasks/update";
}

/** Whether nothing that an item of a list could be used for is left. */
export function coversItem(
	target: KillTarget,
	who: Principal,
	item: Listed,
	origin?: string,
): boolean {
	const names = { server: item.server, origin };
	if (coversCaller(target, who) || coversServer(target, names)) return true;
	if (item.kind !== "tool") return false;
	const { kind, name } = target;
	if (kind === "tool") return isTool(name, names, item.name);
	if (kind !== "writes") return false;
	return (name === undefined || isNamed(name, names)) && item.tool?.risk !== "read";
}

function isTool(
	target: string | undefined,
	{ server, origin }: ServerNames,
	name: string | undefined,
): boolean {
	const exposed = (of: string) => `${of}${name_separator}${name ?? ""}`;
	return target === exposed(server) || (origin !== undefined && target === exposed(origin));
}
