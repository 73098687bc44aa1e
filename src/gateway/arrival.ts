import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { type BlockList, isIP } from "node:net";
import { TLSSocket } from "node:tls";
import { networksOf } from "../config/front.ts";
import type { FrontPlan } from "../config/plan-front.ts";
import { addressKind } from "../lib/addresses.ts";

/** How a request came here, as far as it may be believed. */
export interface Arrival {
	/** The host that the client named. */
	readonly host: string | undefined;
	/** Origin that the client knows this gateway by, without a slash at the end. */
	readonly base: string;
	/** False where it came over the network as it is, though this gateway is known by https. */
	readonly is_encrypted: boolean;
	/** Whether it came from this machine itself, and through no proxy that is known of. */
	readonly is_local: boolean;
}

/** Elements of `Forwarded` and `X-Forwarded-For` that are looked at. */
const hops_max = 32;

/**
 * Judges where requests come from. What a proxy says of its client is believed of the configured
 * ones only; TLS in front of the gateway means that the public address is https and the connection
 * is such a proxy's.
 */
export class Arrivals {
	readonly #front: FrontPlan;
	readonly #trusted: BlockList;
	readonly #public_host: string | undefined;
	/** By connection: whether it is a trusted proxy's. */
	readonly #proxies = new WeakMap<Socket, boolean>();
	/** By connection: whether it is from this machine. */
	readonly #locals = new WeakMap<Socket, boolean>();
	#last_base:
		| { readonly host: string; readonly is_tls: boolean; readonly base: string }
		| undefined;

	constructor(front: FrontPlan) {
		this.#front = front;
		this.#trusted = networksOf(front.trusted_proxies);
		this.#public_host =
			front.public_url === undefined ? undefined : new URL(front.public_url).host.toLowerCase();
	}

	/** How a request came. */
	of(request: IncomingMessage): Arrival {
		const { public_url } = this.#front;
		const is_proxied = this.#isProxy(request.socket);
		const host = is_proxied ? forwardedHost(request) : request.headers.host;
		const is_tls = request.socket instanceof TLSSocket;
		const base = public_url ?? this.#baseOf(host ?? "", is_tls);
		const is_local = !is_proxied && this.#isLocal(request.socket);
		if (is_tls || is_proxied || public_url?.startsWith("https:") !== true) {
			return { host, base, is_encrypted: true, is_local };
		}
		// Programs on this machine need no TLS; but who names the public host came through something.
		const is_encrypted = is_local && host?.toLowerCase() !== this.#public_host;
		return { host, base, is_encrypted, is_local };
	}

	/** The address of the client: the last one before those that are trusted. For the log. */
	clientAddress(request: IncomingMessage): string {
		const { socket, headers } = request;
		const peer = socket.remoteAddress ?? "";
		if (!this.#isProxy(socket)) return peer;
		const standard = forwardedFor(headers.forwarded);
		const usual = listed(headers["x-forwarded-for"]).map(bareAddress);
		// A proxy adds to one of the two: what a client made up in the other is not believed.
		const hops = standard.length === 0 ? usual : usual.length === 0 ? standard : [];
		for (const hop of hops.toReversed()) {
			if (isIP(hop) === 0) return peer;
			if (!this.#isTrusted(hop)) return hop;
		}
		return peer;
	}

	/** Made anew only for another host than before: the same text is compared at once later on. */
	#baseOf(host: string, is_tls: boolean): string {
		const last = this.#last_base;
		if (last?.host === host && last.is_tls === is_tls) return last.base;
		const base = `${is_tls ? "https" : "http"}://${host}`;
		this.#last_base = { host, is_tls, base };
		return base;
	}

	#isLocal(socket: Socket): boolean {
		const known = this.#locals.get(socket);
		if (known !== undefined) return known;
		const found = addressKind(socket.remoteAddress ?? "") === "loopback";
		this.#locals.set(socket, found);
		return found;
	}

	#isProxy(socket: Socket): boolean {
		if (this.#front.trusted_proxies.length === 0) return false;
		const known = this.#proxies.get(socket);
		if (known !== undefined) return known;
		const found = this.#isTrusted(socket.remoteAddress ?? "");
		this.#proxies.set(socket, found);
		return found;
	}

	#isTrusted(address: string): boolean {
		const family = isIP(address);
		return family !== 0 && this.#trusted.check(address, family === 6 ? "ipv6" : "ipv4");
	}
}

/** The host that a trusted proxy says its client named; else the one it names itself. */
function forwardedHost({ headers }: IncomingMessage): string | undefined {
	const usual = listed(headers["x-forwarded-host"]).at(-1);
	return usual ?? forwardedParameters(headers.forwarded, "host").at(-1) ?? headers.host;
}

function forwardedFor(header: string | undefined): string[] {
	return forwardedParameters(header, "for").map(bareAddress);
}

/** One parameter of every element of `Forwarded` (RFC 7239 section 4). */
function forwardedParameters(header: string | undefined, name: string): string[] {
	return listed(header).flatMap((element) => {
		for (const pair of element.split(";")) {
			const [key = "", value] = pair.trim().split("=");
			if (key.toLowerCase() === name && value !== undefined) return value.replaceAll('"', "");
		}
		return [];
	});
}

function listed(header: string | string[] | undefined): string[] {
	if (header === undefined) return [];
	const text = Array.isArray(header) ? header.join(",") : header;
	return text
		.split(",")
		.slice(-hops_max)
		.map((one) => one.trim())
		.filter((one) => one !== "");
}

/** An address without its port and brackets. */
function bareAddress(text: string): string {
	const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1];
	if (bracketed !== undefined) return bracketed;
	return isIP(text) === 0 ? text.replace(/:\d+$/, "") : text;
}
