import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { TlsPlan } from "../config/plan-front.ts";
import { type FileWatch, watchFile } from "../config/watch.ts";
import type { Clock } from "../lib/clock.ts";
import { fail, type Result, succeed } from "../lib/result.ts";

/** What a server is given to end TLS with. */
export interface TlsMaterial {
	readonly cert: Buffer;
	readonly key: Buffer;
	readonly ca?: Buffer;
	readonly minVersion: "TLSv1.2";
	readonly ALPNProtocols: string[];
	/** Clients are asked for certificates, and may do without: they may have tokens instead. */
	readonly requestCert: boolean;
	readonly rejectUnauthorized: false;
}

/** Why certificates cannot be used. */
export interface TlsProblem {
	/** A sentence: what is wrong, without anything of the key. */
	readonly message: string;
	/** A sentence: what to do. */
	readonly next: string;
}

/** Reads the files of a plan, and makes sure that they belong together. */
export async function readTls(plan: TlsPlan): Promise<Result<TlsMaterial, TlsProblem>> {
	const files = [plan.cert, plan.key, ...(plan.client_ca === undefined ? [] : [plan.client_ca])];
	const contents: Buffer[] = [];
	for (const file of files) {
		try {
			contents.push(await readFile(file));
		} catch (error) {
			const { code = "UNKNOWN" } = error as NodeJS.ErrnoException;
			const message = `The TLS file ${file} cannot be read (${code}).`;
			return fail({ message, next: "Correct `tls`, or the file's owner and rights." });
		}
	}
	const [cert = Buffer.alloc(0), key = Buffer.alloc(0), ca] = contents;
	const secret = { cert, key, ...(ca === undefined ? {} : { ca }) };
	const broken = brokenPart(secret);
	if (broken !== undefined) {
		const message = `The TLS files do not fit: ${broken}.`;
		return fail({
			message,
			next: "`tls` wants a certificate, its own key and authorities, as PEM.",
		});
	}
	return succeed({
		...secret,
		minVersion: "TLSv1.2",
		ALPNProtocols: ["http/1.1"],
		requestCert: ca !== undefined,
		rejectUnauthorized: false,
	});
}

/** What is wrong with certificates; OpenSSL's own words are about the files' form only. */
function brokenPart(secret: { cert: Buffer; key: Buffer; ca?: Buffer }): string | undefined {
	const { ca } = secret;
	if (ca !== undefined && !ca.includes("-----BEGIN CERTIFICATE-----")) {
		return "`client_ca` holds no certificate";
	}
	try {
		createSecureContext(secret);
		return undefined;
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		if (code === "ERR_OSSL_X509_KEY_VALUES_MISMATCH") return "the key is another certificate's";
		return code ?? "they are no PEM";
	}
}

/** Calls `onChange` whenever one of a plan's files has other content. */
export function watchTls(plan: TlsPlan, clock: Clock, onChange: () => void): FileWatch {
	const files = [plan.cert, plan.key, ...(plan.client_ca === undefined ? [] : [plan.client_ca])];
	const watches = files.map((file) => watchFile(file, clock, onChange));
	return {
		close: () => {
			for (const watch of watches) watch.close();
		},
	};
}
