import { BlockList, isIP } from "node:net";

/** Where an address leads: to everybody's network, or to a smaller one. */
export type AddressKind = "public" | "loopback" | "private" | "link-local";

const ranges: Readonly<Record<Exclude<AddressKind, "public">, readonly string[]>> = {
	loopback: ["127.0.0.0/8", "::1/128"],
	// Azure tells its machines their secrets at an address that looks like everybody's.
	"link-local": ["169.254.0.0/16", "fe80::/10", "168.63.129.16/32"],
	// Everything else that is not meant for the public network (RFC 6890).
	private: [
		"0.0.0.0/8",
		"10.0.0.0/8",
		"100.64.0.0/10",
		"172.16.0.0/12",
		"192.0.0.0/24",
		"192.0.2.0/24",
		"192.168.0.0/16",
		"198.18.0.0/15",
		"198.51.100.0/24",
		"203.0.113.0/24",
		"224.0.0.0/3",
		"192.88.99.0/24",
		"64:ff9b::/96",
		"64:ff9b:1::/48",
		"100::/64",
		"2001::/23",
		"2001:db8::/32",
		"2002::/16",
		"3fff::/20",
	],
};

const lists = (["loopback", "link-local", "private"] as const).map((kind) => {
	const list = new BlockList();
	for (const range of ranges[kind]) {
		const [network = "", bits] = range.split("/");
		list.addSubnet(network, Number(bits), isIP(network) === 6 ? "ipv6" : "ipv4");
	}
	return { kind, list };
});

/** All of IPv6 that is given out to anybody, and the IPv4 addresses inside it. */
const routed = new BlockList();
routed.addSubnet("2000::", 3, "ipv6");
routed.addSubnet("::ffff:0:0", 96, "ipv6");

/**
 * Judges an IP address; an IPv4 address inside an IPv6 one counts as the IPv4 address. What is
 * no address, or has a zone, is not public.
 */
export function addressKind(address: string): AddressKind {
	const family = isIP(address);
	if (family === 0) return "private";
	const [bare = ""] = address.split("%");
	const type = family === 6 ? "ipv6" : "ipv4";
	const found = lists.find(({ list }) => list.check(bare, type))?.kind;
	if (found !== undefined) return found;
	if (family === 4) return "public";
	return bare === address && routed.check(bare, type) ? "public" : "private";
}

const nowhere = new BlockList();
nowhere.addSubnet("0.0.0.0", 8, "ipv4");
nowhere.addAddress("::", "ipv6");

/** True for addresses of no host, which systems take for this machine (RFC 1122 3.2.1.3). */
export function isNowhere(address: string): boolean {
	const family = isIP(address);
	const [bare = ""] = address.split("%");
	return family !== 0 && nowhere.check(bare, family === 6 ? "ipv6" : "ipv4");
}

/** The suffixes of names that nobody can register. */
const local_suffixes = [".localhost", ".internal", ".local", ".lan", ".home.arpa"];

/** True for a name that cannot be anybody's on the public network. */
export function isLocalName(host: string): boolean {
	if (isIP(host) !== 0) return false;
	return !host.includes(".") || local_suffixes.some((suffix) => host.endsWith(suffix));
}

/** The address a URL's host is, without brackets; undefined for a name. */
export function literalAddress(hostname: string): string | undefined {
	const bare = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
	return isIP(bare) === 0 ? undefined : bare;
}

/** True for the names and addresses of this machine itself. */
export function isLoopbackHost(hostname: string): boolean {
	const name = hostname.endsWith(".") ? hostname.slice(0, -1) : hostname;
	if (name === "localhost" || name.endsWith(".localhost")) return true;
	const address = literalAddress(hostname);
	return address !== undefined && addressKind(address) === "loopback";
}
