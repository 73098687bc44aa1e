import { createHash } from "node:crypto";

/**
 * Names at an address that several servers share. A tool or prompt becomes `server__name`;
 * a resource becomes `moorage://server/<uri>`, except for schemes whose meaning is in the
 * scheme itself (`ui://`, `skill://`), which keep it.
 */

/** Between server and tool. Server names never contain it, so the split is unambiguous. */
export const name_separator = "__";

/** What clients and model providers accept in common. */
export const exposed_name_chars_max = 64;

const safe_name = /^[A-Za-z0-9_-]+$/;
const digest_chars = 8;

/**
 * The name a client sees for a server's tool or prompt: at most 64 characters of
 * `A-Z a-z 0-9 _ -`. A name that has to change keeps its readable beginning and ends in a
 * digest of the original, so that the same name always maps to the same result and two
 * different names practically never meet.
 */
export function exposedName(server: string, name: string): string {
	const full = `${server}${name_separator}${name}`;
	if (full.length <= exposed_name_chars_max && safe_name.test(full)) return full;
	const digest = createHash("sha256").update(full).digest("hex").slice(0, digest_chars);
	const readable = full.replace(/[^A-Za-z0-9_-]/g, "_");
	return `${readable.slice(0, exposed_name_chars_max - digest_chars - 1)}_${digest}`;
}

const gateway_prefix = "moorage://";
const kept_scheme = /^(ui|skill):\/\/(.*)$/s;
const kept_exposed = /^(ui|skill):\/\/([^/]+)\/(.*)$/s;

/** The address a client sees for a server's resource or resource template. */
export function exposedUri(server: string, uri: string): string {
	const kept = kept_scheme.exec(uri);
	if (kept !== null) return `${kept[1]}://${server}/${kept[2]}`;
	return `${gateway_prefix}${server}/${uri}`;
}

/** The server and its own uri behind an exposed one; undefined when it is not one of ours. */
export function originalUri(exposed: string): { server: string; uri: string } | undefined {
	if (exposed.startsWith(gateway_prefix)) {
		const slash = exposed.indexOf("/", gateway_prefix.length);
		if (slash <= gateway_prefix.length) return undefined;
		return {
			server: exposed.slice(gateway_prefix.length, slash),
			uri: exposed.slice(slash + 1),
		};
	}
	const kept = kept_exposed.exec(exposed);
	if (kept === null) return undefined;
	return { server: kept[2] as string, uri: `${kept[1]}://${kept[3]}` };
}
