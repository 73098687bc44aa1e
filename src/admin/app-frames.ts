import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";

/** What an MCP App says it wants to reach (SEP-1865, `_meta.ui.csp` of its resource). */
export interface AppDomains {
	readonly connect: readonly string[];
	readonly resource: readonly string[];
	readonly frame: readonly string[];
}

interface Frame {
	readonly html: string;
	readonly policy: string;
	readonly until_ms: number;
}

const frame_ms = 10 * 60_000;
const frames_max = 32;
const token_bytes = 24;
const path_pattern = /^\/apps\/([A-Za-z0-9_-]{32})$/;

/**
 * Frames of MCP Apps. What is in one comes from a server nobody has to trust: it is served with a
 * policy that shuts it in whoever embeds it, in an origin of its own, without cookies, and able to
 * reach only what it declared and may.
 */
export class AppFrames {
	readonly #clock: Clock;
	readonly #random: Random;
	readonly #frames = new Map<string, Frame>();

	constructor(clock: Clock, random: Random) {
		this.#clock = clock;
		this.#random = random;
	}

	/** Keeps a page for a while; its address cannot be guessed. */
	add(html: string, domains: AppDomains): string {
		const now_ms = this.#clock.now();
		for (const [token, { until_ms }] of this.#frames) {
			if (until_ms <= now_ms || this.#frames.size >= frames_max) this.#frames.delete(token);
		}
		const token = this.#random.bytes(token_bytes).toString("base64url");
		this.#frames.set(token, { html, policy: framePolicy(domains), until_ms: now_ms + frame_ms });
		return `/apps/${token}`;
	}

	/** Answers a request below `/apps/`. */
	serve(request: IncomingMessage, response: ServerResponse): void {
		const token = path_pattern.exec(request.url ?? "")?.[1];
		const frame = token === undefined ? undefined : this.#frames.get(token);
		const headers = {
			"cache-control": "no-store",
			"referrer-policy": "no-referrer",
			"x-content-type-options": "nosniff",
		};
		if (frame === undefined || frame.until_ms <= this.#clock.now() || request.method !== "GET") {
			const policy = { "content-security-policy": "sandbox; default-src 'none'" };
			response.writeHead(404, { ...headers, ...policy, "content-type": "text/plain" });
			response.end("This frame is gone. Run the tool again.\n");
			return;
		}
		response.writeHead(200, {
			...headers,
			"content-security-policy": frame.policy,
			"content-type": "text/html; charset=utf-8",
			"permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
		});
		response.end(frame.html);
	}
}

/** The policy of a frame: scripts may run, in an opaque origin, and reach the named domains. */
export function framePolicy({ connect, resource, frame }: AppDomains): string {
	const from = (...sources: readonly string[]) =>
		sources.length === 0 ? "'none'" : sources.join(" ");
	return [
		"sandbox allow-scripts",
		"default-src 'none'",
		`script-src ${from("'unsafe-inline'", ...resource)}`,
		`style-src ${from("'unsafe-inline'", ...resource)}`,
		`img-src ${from("data:", "blob:", ...resource)}`,
		`font-src ${from("data:", ...resource)}`,
		`media-src ${from("data:", "blob:", ...resource)}`,
		`connect-src ${from(...connect)}`,
		`frame-src ${from(...frame)}`,
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'self'",
	].join("; ");
}

/** A source of a policy: an origin over TLS, maybe of all hosts below a domain. */
const source_pattern = /^(https|wss):\/\/(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}(:\d{1,5})?$/i;
const inner_name = /\.(local|internal|localhost|home|lan|arpa|test|invalid|onion)(:\d+)?$/i;

/**
 * Which of the wanted domains a frame may reach: public names over TLS. Addresses, names of this
 * machine or network, and whatever else could end the policy early are left out, and told. So is
 * what its server may not reach either: an app is no way around that.
 * @param serverMay whether the server that it comes from may reach an origin
 */
export function allowedDomains(
	wanted: AppDomains,
	own_host: string,
	serverMay: (origin: string) => boolean,
) {
	const notes: string[] = [];
	const keep = (list: readonly string[]) =>
		list.filter((source) => {
			const good = source_pattern.test(source) && !inner_name.test(source);
			const own = URL.parse(source.replace("*.", ""))?.hostname === own_host;
			if (good && !own && serverMay(source)) return true;
			const why = good && !own ? ": its server may not either (`egress`)" : "";
			notes.push(`It may not reach ${source.slice(0, 200)}${why}.`);
			return false;
		});
	const domains: AppDomains = {
		connect: keep(wanted.connect),
		resource: keep(wanted.resource),
		frame: keep(wanted.frame),
	};
	return { domains, notes };
}
