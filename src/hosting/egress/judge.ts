import { isIP } from "node:net";
import { type AddressKind, addressKind, isLocalName } from "../../lib/addresses.ts";
import { type HostRule, matchesRule } from "./host-rules.ts";
import { canonicalHost, type Target } from "./target.ts";

/** Which targets an instance may have: listed ones, or every one on the public network. */
export type EgressRules =
	| { readonly kind: "public" }
	| { readonly kind: "hosts"; readonly rules: readonly HostRule[] };

/** Finds all addresses of a name; rejects where there are none. */
export type Resolve = (name: string) => Promise<readonly string[]>;

/** What became of a wish for a connection. */
export type Verdict =
	/** Only these addresses are connected to; the name is not looked up again. */
	| { readonly kind: "allowed"; readonly addresses: readonly string[] }
	| { readonly kind: "unlisted" }
	/** The name leads to an address that is not on the public network and was not listed. */
	| {
			readonly kind: "not-public";
			readonly address: string;
			readonly address_kind: Exclude<AddressKind, "public">;
	  }
	| { readonly kind: "unknown-name" };

/** More than this many addresses of one name are not tried. */
const addresses_max = 16;

/**
 * Decides on a target. Nothing is looked up for a host that is not listed, so that names cannot
 * carry secrets out. Every address of a name is judged, not only the one that is used: one that
 * is not allowed refuses the name. An address that is not public is allowed where
 *  - it is itself listed, with that port; then a listed name may lead to it, too;
 *  - a name that nobody can register (`localhost`, `db`, `db.internal`) is listed as it stands,
 *    and leads to a loopback or private address. Link-local ones, where machines of a cloud are
 *    told their secrets, have to be listed as an address.
 */
export async function judge(
	rules: EgressRules,
	target: Target,
	resolve: Resolve,
): Promise<Verdict> {
	const list = rules.kind === "hosts" ? rules.rules : [];
	const matching = list.filter((rule) => matchesRule(rule, target));
	if (rules.kind === "hosts" && matching.length === 0) return { kind: "unlisted" };
	const found = await addressesOf(target.host, resolve);
	if (found.length === 0) return { kind: "unknown-name" };
	const is_local_name =
		isLocalName(target.host) && matching.some(({ is_wildcard }) => !is_wildcard);
	for (const address of found) {
		const kind = addressKind(address);
		if (kind === "public") continue;
		if (is_local_name && kind !== "link-local") continue;
		const listed = { host: canonicalHost(address) ?? address, port: target.port };
		if (list.some((rule) => matchesRule(rule, listed))) continue;
		return { kind: "not-public", address, address_kind: kind };
	}
	return { kind: "allowed", addresses: found.slice(0, addresses_max) };
}

async function addressesOf(host: string, resolve: Resolve): Promise<readonly string[]> {
	if (isIP(host) !== 0) return [host];
	try {
		return await resolve(host);
	} catch {
		return [];
	}
}
