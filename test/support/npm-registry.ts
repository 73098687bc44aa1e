import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** A registry of npm packages on this machine, for the real npm. */
export interface NpmRegistry {
	readonly url: string;
	/** Publishes a version of a package, which becomes its `latest`. */
	publish(name: string, version: string, files: Readonly<Record<string, string>>): void;
	/** What a gateway is started with so that its npm asks this one; npm keeps its own in `home`. */
	environment(home: string): Record<string, string | undefined>;
	stop(): Promise<void>;
}

interface Published {
	readonly manifest: object;
	readonly archive: Buffer;
}

/** Starts one without packages. Each has one program, of its own name: the file `main.mjs`. */
export async function startNpmRegistry(): Promise<NpmRegistry> {
	const packages = new Map<string, Map<string, Published>>();
	const server = createServer((request, response) => {
		const [, name = "", , file] = (request.url ?? "").split("/");
		const versions = packages.get(decodeURIComponent(name));
		if (versions === undefined) {
			response.writeHead(404).end("{}");
			return;
		}
		if (file !== undefined) {
			response.end(versions.get(file.replace(/\.tgz$/, ""))?.archive);
			return;
		}
		response.setHeader("content-type", "application/json");
		response.end(
			JSON.stringify({
				name,
				"dist-tags": { latest: [...versions.keys()].at(-1) },
				versions: Object.fromEntries([...versions].map(([key, { manifest }]) => [key, manifest])),
			}),
		);
	});
	await new Promise<void>((resolve) => {
		server.listen(0, "127.0.0.1", resolve);
	});
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	return {
		url,
		publish(name, version, files) {
			const manifest = { name, version, bin: { [name]: "main.mjs" } };
			const all = { "package.json": JSON.stringify(manifest), ...files };
			const archive = gzipSync(tarOf(all));
			const integrity = `sha512-${createHash("sha512").update(archive).digest("base64")}`;
			const dist = { tarball: `${url}/${name}/-/${version}.tgz`, integrity };
			const versions = packages.get(name) ?? new Map<string, Published>();
			versions.set(version, { manifest: { ...manifest, dist }, archive });
			packages.set(name, versions);
		},
		environment: (home) => ({
			PATH: process.env["PATH"],
			HOME: home,
			npm_config_registry: url,
			npm_config_cache: join(home, "cache"),
		}),
		async stop() {
			server.closeAllConnections();
			await new Promise((resolve) => {
				server.close(resolve);
			});
		},
	};
}

/** A tar archive (POSIX.1-1988, "ustar") of files in the folder `package`. */
function tarOf(files: Readonly<Record<string, string>>): Buffer {
	const parts = Object.entries(files).flatMap(([name, text]) => {
		const content = Buffer.from(text);
		const header = Buffer.alloc(512);
		header.write(`package/${name}`, 0);
		header.write("0000755\0", 100);
		header.write("0000000\0".repeat(2), 108);
		header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
		header.write("00000000000\0", 136);
		header.write("        0", 148);
		header.write("ustar\x0000", 257);
		const sum = header.reduce((total, byte) => total + byte, 0);
		header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
		return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
	});
	return Buffer.concat([...parts, Buffer.alloc(1024)]);
}
