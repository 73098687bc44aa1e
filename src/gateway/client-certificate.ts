import { hash } from "node:crypto";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { PresentedCertificate } from "../identity/certificates.ts";

const known = new WeakMap<TLSSocket, PresentedCertificate | "none">();

/**
 * The client certificate of a connection, if one of the configured authorities signed it. It is
 * read once per connection.
 */
export function certificateOf(socket: Socket): PresentedCertificate | undefined {
	if (!(socket instanceof TLSSocket)) return undefined;
	let found = known.get(socket);
	if (found === undefined) {
		found = read(socket) ?? "none";
		known.set(socket, found);
	}
	return found === "none" ? undefined : found;
}

function read(socket: TLSSocket): PresentedCertificate | undefined {
	if (!socket.authorized) return undefined;
	const certificate = socket.getPeerX509Certificate();
	if (certificate === undefined) return undefined;
	const { subject, subjectAltName } = certificate;
	const names = /^CN=(.*)$/gm;
	const common = [...(subject ?? "").matchAll(names)].map(([, name = ""]) => name);
	return {
		thumbprint: hash("sha256", certificate.raw, "base64url"),
		fingerprint: hash("sha256", certificate.raw, "hex"),
		common_name: common.length === 1 ? common[0] : undefined,
		names: alternativeNames(subjectAltName),
	};
}

/** Entries that hold quotes were escaped by Node, and are not taken: nobody is named like that. */
function alternativeNames(text: string | undefined): string[] {
	if (text === undefined || text.includes('"')) return [];
	return text.split(", ");
}
