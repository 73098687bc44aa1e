import { lookup } from "node:dns/promises";
import type { LookupFunction } from "node:net";
import {
	type AddressKind,
	addressKind,
	isLoopbackHost,
	isNowhere,
	literalAddress,
} from "./addresses.ts";
import type { Clock } from "./clock.ts";
import { HttpAgent } from "./http-agent.ts";
import { kindsNear, type NearKinds, type ResolveName } from "./near-kinds.ts";

/** Metadata, key sets and token answers are small. */
const body_bytes_default = 256 * 1024;
const request_ms_max = 15_000;
const redirects_max = 3;
/** Headers of an answer that somebody has a use for. */
const kept_headers = ["content-type", "cache-control", "www-authenticate", "retry-after"];

/** A request whose answer has been read whole. */
export type GuardedFetch = (url: string, init?: GuardedInit) => Promise<Response>;

/** What of a fetch is used. */
export interface GuardedInit {
	readonly method?: string | undefined;
	readonly headers?: Record<string, string> | undefined;
	readonly body?: string | undefined;
	/** Ends the request early. */
	readonly signal?: AbortSignal | undefined;
}

/** What the guard lets through. */
export interface GuardOptions {
	readonly clock: Clock;
	/**
	 * A URL that whoever runs Moorage configured. What it leads to may name addresses in the same
	 * kind of network, as far as its host is shown to be there (see `kindsNear`); without it only
	 * public ones are asked.
	 */
	readonly near?: string | undefined;
	/** Whether redirects within the origin are followed; a metadata document may want none. */
	readonly redirects?: "same-origin" | "none";
	/** Largest answer. */
	readonly body_bytes_max?: number;
	/** By default as this machine does it. */
	readonly resolve?: ResolveName;
}

/** An address that is not asked; the message continues "it ...". */
export class RefusedAddress extends Error {}

/**
 * Fetches addresses that somebody else named, which may be anybody's: https only, except on this
 * machine; no address in a private network, unless what named it is in such a one; what a name
 * resolves to is checked in the moment of connecting, and that very address is used; no redirect
 * to another origin; size and time are limited. Every address that a caller or a remote server can
 * influence is fetched through this.
 */
export function guardedFetch(options: GuardOptions): GuardedFetch {
	const { clock, near, resolve = systemResolve } = options;
	let allowed: Promise<NearKinds> | undefined;
	return async (target, init = {}) => {
		allowed ??= kindsNear(near, resolve);
		const { kinds, is_settled } = await allowed.catch((error: unknown) => {
			// A name that is not found now may be found later.
			allowed = undefined;
			throw error;
		});
		if (!is_settled) allowed = undefined;
		const connect = { lookup: guardedLookup(kinds, resolve) };
		const agent = new HttpAgent({ connect, connections: 1 });
		const abort = new AbortController();
		const timer = clock.after(request_ms_max, () => abort.abort());
		const { signal: early } = init;
		const signal = early === undefined ? abort.signal : AbortSignal.any([abort.signal, early]);
		try {
			return await follow(agent, target, { ...init, options, kinds, signal });
		} finally {
			timer.cancel();
			await agent.close();
		}
	};
}

interface Hop extends GuardedInit {
	readonly options: GuardOptions;
	readonly kinds: ReadonlySet<AddressKind>;
	readonly signal: AbortSignal;
}

async function follow(agent: HttpAgent, target: string, hop: Hop): Promise<Response> {
	const { redirects: policy = "same-origin", body_bytes_max = body_bytes_default } = hop.options;
	let url = checked(target, hop.kinds);
	for (let redirects = 0; ; redirects += 1) {
		const answer = await agent.request(url, {
			method: hop.method ?? "GET",
			headers: { accept: "application/json", "user-agent": "moorage", ...hop.headers },
			body: hop.body ?? null,
			signal: hop.signal,
		});
		const body = await readBounded(answer.body, body_bytes_max);
		const { statusCode: status, headers } = answer;
		const { location } = headers;
		const is_get = (hop.method ?? "GET") === "GET";
		if (status >= 300 && status < 400 && is_get && typeof location === "string") {
			const next = checked(new URL(location, url).href, hop.kinds);
			if (policy === "none") throw new RefusedAddress("redirects");
			if (next.origin !== url.origin) throw new RefusedAddress("redirects to another origin");
			if (redirects >= redirects_max) throw new RefusedAddress("redirects without end");
			url = next;
			continue;
		}
		const bare = status === 204 || status === 205 || status === 304;
		const kept = kept_headers.flatMap((name): [string, string][] => {
			const value = headers[name];
			return typeof value === "string" ? [[name, value]] : [];
		});
		return new Response(bare ? null : new Uint8Array(body), { status, headers: kept });
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
	// What this machine calls itself is not left to whoever answers for names.
	else if (is_local && !kinds.has("loopback")) {
		throw new RefusedAddress("leads to this machine, on which what named it is not");
	}
	return url;
}

function checkAddress(address: string, kinds: ReadonlySet<AddressKind>): void {
	// Connected to, it is this machine, whatever network it counts to.
	if (isNowhere(address)) throw new RefusedAddress("leads to an address that nobody has");
	const kind = addressKind(address);
	if (kinds.has(kind)) return;
	throw new RefusedAddress(`leads into a ${kind} network in which the server itself is not`);
}

const systemResolve: ResolveName = (hostname) => lookup(hostname, { all: true });

/** Resolves a name for one connection; one refused address refuses the name. */
function guardedLookup(kinds: ReadonlySet<AddressKind>, resolve: ResolveName): LookupFunction {
	return (hostname, options, done) => {
		resolve(hostname).then(
			(found) => {
				try {
					for (const { address } of found) checkAddress(address, kinds);
				} catch (refused) {
					return done(refused as Error, "", 0);
				}
				const [first] = found;
				if (first === undefined) return done(new Error(`${hostname} has no address`), "", 0);
				if (options.all === true) return done(null, [...found]);
				return done(null, first.address, first.family);
			},
			(error: unknown) => done(error as Error, "", 0),
		);
	};
}

async function readBounded(body: AsyncIterable<Buffer>, bytes_max: number): Promise<Buffer> {
	const chunks: Buffer[] = [];
	let bytes = 0;
	for await (const chunk of body) {
		bytes += chunk.length;
		if (bytes > bytes_max) throw new RefusedAddress("answers with too much");
		chunks.push(chunk);
	}
	return Buffer.concat(chunks);
}
