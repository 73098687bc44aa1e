import { BlockList, isIP } from "node:net";

/** Where an address leads: to everybody's network, or to a smaller one. */
export type AddressKind = "public" | "loopback" | "private" | "link-local";

const ranges: Readonly<Record<Exclude<AddressKind, "public">, readonly string[]>> = {
	loopback: ["127.0.0.0/8", "::1/128"],
	"link-local": ["169.254.0.0/16", "fe80::/10"],
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
		"::/128",
		"64:ff9b::/96",
		"64:ff9b:1::/48",
		"100::/64",
		"2001::/23",
		"2001:db8::/32",
		"2002::/16",
		"fc00::/7",
		"fec0::/10",
		"ff00::/8",
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

/** Judges an IP address; an IPv4 address inside an IPv6 one counts as the IPv4 address. */
export function addressKind(address: string): AddressKind {
	const family = isIP(address) === 6 ? "ipv6" : "ipv4";
	return lists.find(({ list }) => list.check(address, family))?.kind ?? "public";
}

/** The address a URL's host is, without brackets; undefined for a name. */
export function literalAddress(hostname: string): string | undefined {
	const bare = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
	return isIP(bare) === 0 ? undefined : bare;
}

/** True for the names and addresses of this machine itself. */
export function isLoopbackHost(hostname: string): boolean {
	if (hostname === "localhost" || hostname.endsWith(".localhost")) return true;
	const address = literalAddress(hostname);
	return address !== undefined && addressKind(address) === "loopback";
}
