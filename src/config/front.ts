import { BlockList, isIP } from "node:net";
import { isLoopbackHost } from "../lib/addresses.ts";
import type { Draft } from "./draft.ts";
import type { Expander } from "./expander.ts";
import { type Located, member, type Placed, placedItems, placedMember } from "./located.ts";
import type { FrontPlan } from "./plan-front.ts";
import type { Report } from "./report.ts";

/** How the gateway is reached from outside, before references are expanded. */
export interface FrontDraft {
	readonly public_url: Placed | undefined;
	readonly trusted_proxies: readonly Placed[];
	readonly tls:
		| { readonly cert: Placed; readonly key: Placed; readonly client_ca: Placed | undefined }
		| undefined;
}

/** A front that nobody comes to from elsewhere. */
export const default_front: FrontPlan = Object.freeze({
	public_url: undefined,
	trusted_proxies: Object.freeze([]),
	tls: undefined,
});

/** Reads the keys of the front from a file whose shape has been checked. */
export function readFront(root: Located): FrontDraft {
	const tls = member(root, "tls")?.value;
	return {
		public_url: placedMember(root, "public_url"),
		trusted_proxies: placedItems(member(root, "trusted_proxies")?.value),
		tls:
			tls === undefined
				? undefined
				: {
						cert: placedMember(tls, "cert") as Placed,
						key: placedMember(tls, "key") as Placed,
						client_ca: placedMember(tls, "client_ca"),
					},
	};
}

/** Turns it into a plan; what would leave callers unknown or unprotected goes to the report. */
export function compileFront(
	{ front, identity }: Draft,
	expander: Expander,
	report: Report,
	base: string,
): FrontPlan {
	if (front === undefined) return default_front;
	const { tls } = front;
	const plan: FrontPlan = {
		public_url: publicUrl(front.public_url, expander, report),
		trusted_proxies: front.trusted_proxies.flatMap((one) => network(one, report)),
		tls:
			tls === undefined
				? undefined
				: {
						cert: expander.path(tls.cert, base),
						key: expander.path(tls.key, base),
						client_ca: tls.client_ca === undefined ? undefined : expander.path(tls.client_ca, base),
					},
	};
	if (plan.public_url === undefined || front.public_url === undefined) return plan;
	const { start } = front.public_url;
	if (isLoopbackHost(new URL(plan.public_url).hostname)) return plan;
	if (identity === undefined) {
		const text = "Without identity, whoever knows this address could use every server.";
		report.problem(start, text, "Configure `identity`: an `issuer`, or `keys` for people.");
	}
	if (!isEncrypted(plan)) {
		const text = "Nothing says where TLS ends for this address.";
		const next =
			"List the reverse proxy's address under `trusted_proxies`, or add `tls` with a certificate.";
		report.problem(start, text, next);
	}
	return plan;
}

/**
 * Whether clients elsewhere reach the gateway over TLS: it ends here, or in front of it, which
 * means that the public address is https and comes through a proxy that is trusted.
 */
export function isEncrypted({ public_url, trusted_proxies, tls }: FrontPlan): boolean {
	const in_front = public_url?.startsWith("https:") === true && trusted_proxies.length > 0;
	return tls !== undefined || in_front;
}

/** Every network of a list; entries are as `compileFront` lets them through. */
export function networksOf(entries: readonly string[]): BlockList {
	const list = new BlockList();
	for (const entry of entries) {
		const [address = "", bits] = entry.split("/");
		const family = isIP(address) === 6 ? "ipv6" : "ipv4";
		if (bits === undefined) list.addAddress(address, family);
		else list.addSubnet(address, Number(bits), family);
	}
	return list;
}

function publicUrl(
	written: Placed | undefined,
	expander: Expander,
	report: Report,
): string | undefined {
	if (written === undefined) return undefined;
	const url = URL.parse(expander.text(written));
	const is_local = url !== null && isLoopbackHost(url.hostname);
	const is_secure = url?.protocol === "https:" || (url?.protocol === "http:" && is_local);
	if (url === null || !is_secure) {
		const text = "The address that clients know has to be an https address.";
		report.problem(written.start, text, "Write for example `https://mcp.example.com`.");
		return undefined;
	}
	if (url.pathname !== "/" || url.search !== "" || url.hash !== "" || url.username !== "") {
		const text = "The address that clients know is a host, with a port if need be, and no more.";
		report.problem(written.start, text, `Write \`${url.origin}\`.`);
		return undefined;
	}
	return url.origin;
}

function network(written: Placed, report: Report): string[] {
	const [address = "", bits, more] = written.text.trim().split("/");
	const family = isIP(address);
	const bits_max = family === 6 ? 128 : 32;
	const is_range = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= bits_max);
	if (family !== 0 && is_range && more === undefined && !address.includes("%")) {
		// Whoever is anywhere is nobody to be believed.
		if (bits === undefined || Number(bits) > 0) return [written.text.trim()];
	}
	const text = "This is neither an address nor a network of some addresses.";
	report.problem(written.start, text, "Write for example `127.0.0.1` or `10.0.0.0/8`.");
	return [];
}
