import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { createAdminApi } from "../../src/admin/api.ts";
import { createAdminListener } from "../../src/admin/listener.ts";
import { ensureAdminToken } from "../../src/admin/token.ts";
import { acquireDataLock } from "../../src/hosting/process/data-lock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { adminOptions } from "./admin-options.ts";
import { RecordingBackend } from "./recording-backend.ts";
import { tempFolder } from "./temp-folder.ts";

/** The real admin API on a real socket, over a backend that only records. */
export interface StandInGateway {
	readonly url: string;
	/** A working folder; the data folder is `.moorage` in it, where commands look for it. */
	readonly folder: string;
	readonly data: string;
	readonly token: string;
	readonly backend: RecordingBackend;
	/** Ends followed logs, as a stopping gateway does. */
	endStreams(): void;
}

/** Starts it as the gateway of a data folder of its own; it ends with the test. */
export async function startStandIn(
	context: TestContext,
	options: { readonly config_path?: string; readonly serve?: RequestListener } = {},
): Promise<StandInGateway> {
	const folder = await tempFolder(context);
	const data = join(folder, ".moorage");
	const info = options.config_path === undefined ? {} : { config_path: options.config_path };
	const lock = await acquireDataLock(data, info);
	if (!lock.ok) throw new Error(lock.problem.message);
	const token = await ensureAdminToken(data, systemRandom);
	if (!token.ok) throw new Error(token.problem.message);
	const backend = new RecordingBackend();
	const stopping = new AbortController();
	const { signal } = stopping;
	const api = adminOptions(token.value, { call_bytes_max: 1024 * 1024, signal });
	const app = createAdminApi(backend, api);
	const admin = createAdminListener(app);
	const server = createServer((request, response) => {
		if (request.url?.startsWith("/api") === true) void admin(request, response);
		else if (options.serve === undefined) response.writeHead(404).end();
		else options.serve(request, response);
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	backend.url = url;
	backend.data = data;
	await lock.value.update({ url });
	context.after(async () => {
		stopping.abort();
		server.closeAllConnections();
		server.close();
		await lock.value.release();
	});
	const endStreams = () => stopping.abort();
	return { url, folder, data, token: token.value, backend, endStreams };
}
