import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A certificate with its key, as files and as text. */
export interface TestCertificate {
	readonly cert_path: string;
	readonly key_path: string;
	readonly cert: string;
	readonly key: string;
}

/** Makes certificates in a folder, with OpenSSL's own program. */
export class TestCertificates {
	readonly #folder: string;

	constructor(folder: string) {
		this.#folder = folder;
	}

	/** An authority that signs others. */
	async authority(name: string): Promise<TestCertificate> {
		const [cert_path, key_path] = this.#paths(name);
		const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
		const rest = ["-nodes", "-days", "2", "-subj", `/CN=${name}`];
		await run("openssl", [...words, ...rest, "-keyout", key_path, "-out", cert_path]);
		return this.#read(cert_path, key_path);
	}

	/** A certificate that an authority signs; `names` are alternative names, `DNS:a` or `URI:b`. */
	async signed(
		name: string,
		by: TestCertificate,
		names: readonly string[] = ["DNS:localhost", "IP:127.0.0.1"],
	): Promise<TestCertificate> {
		const [cert_path, key_path] = this.#paths(name);
		const request = join(this.#folder, `${name}.csr`);
		const extensions = join(this.#folder, `${name}.ext`);
		await writeFile(extensions, `subjectAltName=${names.join(",")}\n`);
		const words = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
		const subject = ["-subj", `/CN=${name}`];
		await run("openssl", [...words, ...subject, "-keyout", key_path, "-out", request]);
		const authority = ["-CA", by.cert_path, "-CAkey", by.key_path, "-CAcreateserial"];
		const sign = ["x509", "-req", "-in", request, ...authority, "-days", "2"];
		await run("openssl", [...sign, "-extfile", extensions, "-out", cert_path]);
		return this.#read(cert_path, key_path);
	}

	#paths(name: string): [string, string] {
		return [join(this.#folder, `${name}.pem`), join(this.#folder, `${name}-key.pem`)];
	}

	async #read(cert_path: string, key_path: string): Promise<TestCertificate> {
		const [cert, key] = await Promise.all([
			readFile(cert_path, "utf8"),
			readFile(key_path, "utf8"),
		]);
		return { cert_path, key_path, cert, key };
	}
}
