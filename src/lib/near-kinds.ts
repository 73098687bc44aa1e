import type { LookupFunction } from "node:net";
import {
	type AddressKind,
	addressKind,
	isLocalName,
	isLoopbackHost,
	literalAddress,
} from "./addresses.ts";

/** Finds the addresses of a name. */
export type ResolveName = (hostname: string) => Promise<readonly FoundAddress[]>;

/** One address of a name. */
export interface FoundAddress {
	readonly address: string;
	readonly family: number;
}

/** The kinds of network that a configured URL is in. */
export interface NearKinds {
	readonly kinds: ReadonlySet<AddressKind>;
	/** False where its name claimed more than was shown: another look may find it true. */
	readonly is_settled: boolean;
}

/** How long the server of a name has to show who it is. */
const proof_ms_max = 5_000;

/**
 * The kinds of network that a configured URL is in; the public one is always among them. An address
 * that stands in the URL speaks for itself, and so does a name that nobody can register. Whoever
 * owns any other name may have it lead anywhere, to this machine as well, for a moment: such a kind
 * counts only where the server at that very address shows a certificate for the name.
 */
export async function kindsNear(
	near: string | undefined,
	resolve: ResolveName,
): Promise<NearKinds> {
	const kinds = new Set<AddressKind>(["public"]);
	if (near === undefined) return { kinds, is_settled: true };
	const url = new URL(near);
	const { hostname } = url;
	const literal = literalAddress(hostname);
	if (literal !== undefined) kinds.add(addressKind(literal));
	else if (isLoopbackHost(hostname)) kinds.add("loopback");
	if (literal !== undefined || isLoopbackHost(hostname)) return { kinds, is_settled: true };
	let is_settled = true;
	for (const found of await resolve(hostname)) {
		const kind = addressKind(found.address);
		if (kinds.has(kind)) continue;
		if (isLocalName(hostname) || (await isShownAt(url, found))) kinds.add(kind);
		else is_settled = false;
	}
	return { kinds, is_settled };
}

/** Whether what is at an address has a certificate for the host of a URL, from whom we trust. */
async function isShownAt(url: URL, found: FoundAddress): Promise<boolean> {
	const { protocol, hostname } = url;
	// Over plain http anybody could say so.
	if (protocol !== "https:") return false;
	const lookup: LookupFunction = (_name, { all }, done) => {
		if (all === true) done(null, [{ ...found }]);
		else done(null, found.address, found.family);
	};
	const { buildConnector } = await import("./http-client.ts");
	const connect = buildConnector({ lookup, timeout: proof_ms_max, maxCachedSessions: 0 });
	const port = url.port === "" ? "443" : url.port;
	return new Promise((resolve) => {
		connect({ hostname, protocol, port, servername: hostname }, (error, socket) => {
			socket?.destroy();
			resolve(error === null);
		});
	});
}
