import { hash } from "node:crypto";
import { AwsClient } from "aws4fetch";

/** A bucket of an S3-compatible store, and who may write to it. */
export interface S3Options {
	/** `https://s3.eu-central-1.amazonaws.com`, or the address of another store. */
	readonly endpoint: string;
	readonly region: string;
	readonly bucket: string;
	readonly access_key_id: string;
	readonly secret_access_key: string;
	readonly session_token: string | undefined;
}

/** Until when an object can be neither changed nor removed. */
export interface ObjectLock {
	/** `COMPLIANCE`: by nobody. `GOVERNANCE`: but by those with a permission of its own. */
	readonly mode: "COMPLIANCE" | "GOVERNANCE";
	readonly until_ms: number;
}

/** Attempts of one request beside the first; the store is asked again after 5xx and 429. */
const retries = 3;
const message_chars_max = 300;

/** Writes objects to a bucket, addressed by path, which every store understands. */
export class S3Bucket {
	readonly #client: AwsClient;
	readonly #address: string;

	constructor(options: S3Options) {
		this.#client = new AwsClient({
			accessKeyId: options.access_key_id,
			secretAccessKey: options.secret_access_key,
			...(options.session_token === undefined ? {} : { sessionToken: options.session_token }),
			service: "s3",
			region: options.region,
			retries,
		});
		this.#address = `${options.endpoint.replace(/\/+$/, "")}/${encodeURIComponent(options.bucket)}`;
	}

	/** Whether there is an object of this key and size. Rejects with what the store said. */
	async has(key: string, bytes: number): Promise<boolean> {
		const response = await this.#client.fetch(this.#url(key), { method: "HEAD" });
		if (response.status === 404) return false;
		if (!response.ok) throw new Error(`the store answered ${response.status} about ${key}`);
		return Number(response.headers.get("content-length")) === bytes;
	}

	/** Writes an object. Rejects with what the store said. */
	async put(key: string, body: Buffer, lock: ObjectLock | undefined): Promise<void> {
		const response = await this.#client.fetch(this.#url(key), {
			method: "PUT",
			body: new Uint8Array(body),
			headers: {
				"content-type": "application/octet-stream",
				// Stores take an object with a lock only with a digest of it.
				"content-md5": hash("md5", body, "base64"),
				...(lock === undefined
					? {}
					: {
							"x-amz-object-lock-mode": lock.mode,
							"x-amz-object-lock-retain-until-date": new Date(lock.until_ms).toISOString(),
						}),
			},
		});
		const said = (await response.text()).slice(0, message_chars_max);
		if (!response.ok) throw new Error(`the store refused ${key} (${response.status}): ${said}`);
	}

	#url(key: string): string {
		return `${this.#address}/${key.split("/").map(encodeURIComponent).join("/")}`;
	}
}
