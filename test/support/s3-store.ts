import { spawn } from "node:child_process";
import { createHmac, hash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { repository_root } from "../../tools/lib/paths.ts";

/** A store that speaks S3, in a process of its own, behind a door that keeps what was asked. */
export interface S3Store {
	readonly endpoint: string;
	/** Folder that has the objects of the bucket. */
	readonly objects: string;
	readonly requests: readonly {
		readonly method: string;
		readonly path: string;
		readonly headers: IncomingHttpHeaders;
	}[];
}

/** Credentials that the store knows. */
export const s3_credentials = { AWS_ACCESS_KEY_ID: "S3RVER", AWS_SECRET_ACCESS_KEY: "S3RVER" };

/** Starts a store with one bucket; it ends with the test. */
export async function startS3Store(
	t: TestContext,
	folder: string,
	bucket: string,
): Promise<S3Store> {
	const program = join(repository_root, "node_modules", "s3rver", "bin", "s3rver.js");
	const args = ["--directory", folder, "--port", "0", "--configure-bucket", bucket];
	const store = spawn(process.execPath, ["--no-deprecation", program, ...args], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	t.after(async () => {
		store.kill();
		await once(store, "exit");
	});
	let port = 0;
	for await (const line of createInterface({ input: store.stdout })) {
		port = Number(/:(\d+)\D*$/.exec(line)?.[1] ?? 0);
		if (port !== 0) break;
	}
	store.stdout.resume();
	const requests: S3Store["requests"][number][] = [];
	// The store takes locks without a word and believes every signature, so both are looked at here.
	const door = createServer((incoming, response) => {
		const { method = "", url: path = "", headers } = incoming;
		requests.push({ method, path, headers });
		if (!isSigned(method, path, headers)) {
			incoming.resume();
			response.writeHead(403).end("<Error><Code>SignatureDoesNotMatch</Code></Error>");
			return;
		}
		const onward = request({ port, host: "127.0.0.1", method, path, headers }, (answer) => {
			response.writeHead(answer.statusCode ?? 500, answer.headers);
			answer.pipe(response);
		});
		incoming.pipe(onward);
	});
	door.listen(0, "127.0.0.1");
	await once(door, "listening");
	t.after(() => {
		door.closeAllConnections();
		door.close();
	});
	const { port: door_port } = door.address() as AddressInfo;
	const endpoint = `http://127.0.0.1:${door_port}`;
	return { endpoint, objects: join(folder, bucket), requests };
}

const authorization_form =
	/^AWS4-HMAC-SHA256 Credential=\w+\/(\d{8})\/([\w-]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;

/** Whether a request without a query is signed with our secret: AWS Signature Version 4. */
function isSigned(method: string, path: string, headers: IncomingHttpHeaders): boolean {
	const found = authorization_form.exec(headers.authorization ?? "");
	if (found === null) return false;
	const [, day = "", region = "", names = "", signature = ""] = found;
	const canonical = [
		method,
		path,
		"",
		...names.split(";").map((name) => `${name}:${String(headers[name]).trim()}`),
		"",
		names,
		String(headers["x-amz-content-sha256"]),
	].join("\n");
	const scope = `${day}/${region}/s3/aws4_request`;
	const text = [
		"AWS4-HMAC-SHA256",
		String(headers["x-amz-date"]),
		scope,
		hash("sha256", canonical, "hex"),
	].join("\n");
	const mac = (key: Buffer, data: string) => createHmac("sha256", key).update(data).digest();
	const secret = Buffer.from(`AWS4${s3_credentials.AWS_SECRET_ACCESS_KEY}`);
	const key = [day, region, "s3", "aws4_request"].reduce(mac, secret);
	return mac(key, text).toString("hex") === signature;
}
