import { type LookupAddress, lookup } from "node:dns";
import { lookup as lookupAll } from "node:dns/promises";
import type { LookupFunction } from "node:net";
import { Agent, request } from "undici";
import {
	type AddressKind,
	addressKind,
	isLoopbackHost,
	literalAddress,
} from "../../../lib/addresses.ts";
import type { Clock } from "../../../lib/clock.ts";

/** Metadata and token answers are small. */
const body_bytes_max = 256 * 1024;
const request_ms_max = 15_000;
const redirects_max = 3;

/** A request of the OAuth client; the answer's body has been read. */
export type GuardedFetch = (url: string, init?: GuardedInit) => Promise<Response>;

/** What of a fetch is used. */
export interface GuardedInit {
	readonly method?: string | undefined;
	readonly headers?: Record<string, string> | undefined;
	readonly body?: string | undefined;
}

/** An address that a server named and that is not asked; the message continues "it ...". */
export class RefusedAddress extends Error {}

/**
 * Fetches addresses that a server named, which may be anybody's: https only, except on this
 * machine; no address in a private network, unless the server itself is in such a one; what a
 * name resolves to is checked in the moment of connecting, and that very address is used; no
 * redirect to another origin; size and time are limited.
 */
export function guardedFetch(server_url: string, clock: Clock): GuardedFetch {
	let allowed: Promise<ReadonlySet<AddressKind>> | undefined;
	return async (target, init = {}) => {
		allowed ??= kindsOf(new URL(server_url).hostname);
		const kinds = await allowed;
		const agent = new Agent({ connect: { lookup: guardedLookup(kinds) }, connections: 1 });
		const abort = new AbortController();
		const timer = clock.after(request_ms_max, () => abort.abort());
		try {
			return await follow(agent, target, { ...init, kinds, signal: abort.signal });
		} finally {
			timer.cancel();
			await agent.destroy();
		}
	};
}

interface Hop extends GuardedInit {
	readonly kinds: ReadonlySet<AddressKind>;
	readonly signal: AbortSignal;
}

async function follow(agent: Agent, target: string, hop: Hop): Promise<Response> {
	let url = checked(target, hop.kinds);
	for (let redirects = 0; ; redirects += 1) {
		const answer = await request(url, {
			dispatcher: agent,
			method: (hop.method ?? "GET") as "GET" | "POST",
			headers: { accept: "application/json", "user-agent": "moorage", ...hop.headers },
			body: hop.body ?? null,
			signal: hop.signal,
		});
		const body = await readBounded(answer.body);
		const { statusCode: status, headers } = answer;
		const { location } = headers;
		const is_get = (hop.method ?? "GET") === "GET";
		if (status >= 300 && status < 400 && is_get && typeof location === "string") {
			const next = checked(new URL(location, url).href, hop.kinds);
			if (next.origin !== url.origin) throw new RefusedAddress("redirects to another origin");
			if (redirects >= redirects_max) throw new RefusedAddress("redirects without end");
			url = next;
			continue;
		}
		const type = headers["content-type"];
		const bare = status === 204 || status === 205 || status === 304;
		return new Response(bare ? null : new Uint8Array(body), {
			status,
			headers: typeof type === "string" ? { "content-type": type } : {},
		});
	}
}

/** Throws unless the URL may be asked; a name is judged again when it is resolved. */
function checked(target: string, kinds: ReadonlySet<AddressKind>): URL {
	const url = URL.parse(target);
	if (url === null) throw new RefusedAddress("is not an absolute address");
	if (url.username !== "" || url.password !== "") throw new RefusedAddress("holds a password");
	const is_local = isLoopbackHost(url.hostname);
	if (url.protocol !== "https:" && !(url.protocol === "http:" && is_local)) {
		throw new RefusedAddress("is not an https address");
	}
	const address = literalAddress(url.hostname);
	if (address !== undefined) checkAddress(address, kinds);
	return url;
}

function checkAddress(address: string, kinds: ReadonlySet<AddressKind>): void {
	const kind = addressKind(address);
	if (kinds.has(kind)) return;
	throw new RefusedAddress(`leads into a ${kind} network in which the server itself is not`);
}

/** What addresses the server's own host has; the public ones are always allowed. */
async function kindsOf(hostname: string): Promise<ReadonlySet<AddressKind>> {
	const literal = literalAddress(hostname);
	const found = literal === undefined ? await lookupAll(hostname, { all: true }) : [];
	const addresses = literal === undefined ? found.map(({ address }) => address) : [literal];
	return new Set<AddressKind>(["public", ...addresses.map(addressKind)]);
}

/** Resolves a name for one connection; one refused address refuses the name. */
function guardedLookup(kinds: ReadonlySet<AddressKind>): LookupFunction {
	return (hostname, options, done) => {
		lookup(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
			if (error !== null) {
				done(error, "", 0);
				return;
			}
			try {
				for (const { address } of found) checkAddress(address, kinds);
			} catch (refused) {
				done(refused as Error, "", 0);
				return;
			}
			const [first] = found;
			if (options.all === true) done(null, found);
			else done(null, first?.address ?? "", first?.family ?? 4);
		});
	};
}

async function readBounded(body: AsyncIterable<Buffer>): Promise<Buffer> {
	const chunks: Buffer[] = [];
	let bytes = 0;
	for await (const chunk of body) {
		bytes += chunk.length;
		if (bytes > body_bytes_max) throw new RefusedAddress("answers with too much");
		chunks.push(chunk);
	}
	return Buffer.concat(chunks);
}
