import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Answers a request for the dashboard itself: its page, script and style sheet. */
export type FileServer = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * What the dashboard's page may do. Nothing inline, nothing from elsewhere, no form that leaves;
 * frames are only of `/apps/`, whose answers shut themselves in.
 */
export const dashboard_policy = [
	"default-src 'none'",
	"script-src 'self'",
	"style-src 'self'",
	"img-src 'self' data: blob:",
	"media-src data: blob:",
	"connect-src 'self'",
	"frame-src 'self'",
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
	"require-trusted-types-for 'script'",
].join("; ");

const headers_of_all = {
	"content-security-policy": dashboard_policy,
	"x-content-type-options": "nosniff",
	"x-frame-options": "DENY",
	"referrer-policy": "no-referrer",
	"cross-origin-opener-policy": "same-origin",
	"cross-origin-resource-policy": "same-origin",
	"permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
};

const types: Readonly<Record<string, string>> = {
	js: "text/javascript; charset=utf-8",
	css: "text/css; charset=utf-8",
	html: "text/html; charset=utf-8",
};

/** Their names change with their content, so they are kept for good. */
const for_good = "public, max-age=31536000, immutable";

interface StaticFile {
	readonly plain: Buffer;
	readonly brotli: Buffer | undefined;
	readonly headers: Readonly<Record<string, string>>;
}

/** Where the built dashboard is: beside the bundle, or in a checkout's dist folder. */
export function dashboardFolder(): string {
	const bundled = fileURLToPath(new URL("./dashboard", import.meta.url));
	if (existsSync(join(bundled, "index.html"))) return bundled;
	return join(bundled, "..", "..", "..", "dist", "dashboard");
}

/**
 * Serves the dashboard from memory. The files are read when they are asked for first, so that a
 * gateway that nobody looks at has none of them.
 */
export function createFileServer(folder: string): FileServer {
	let files: ReadonlyMap<string, StaticFile> | undefined;
	return (request, response) => {
		if (request.method !== "GET" && request.method !== "HEAD") {
			response.writeHead(405, { ...headers_of_all, allow: "GET, HEAD" }).end();
			return;
		}
		files ??= readFiles(folder);
		const path = (request.url ?? "/").replace(/[?#].*$/, "");
		const file = files.get(path);
		if (file === undefined) {
			const missing = path === "/" ? not_built : nothing_here;
			response.writeHead(missing.status, text_headers).end(missing.text);
			// Once it is built it is found.
			if (path === "/") files = undefined;
			return;
		}
		if (request.headers["if-none-match"] === file.headers["etag"]) {
			response.writeHead(304, file.headers).end();
			return;
		}
		const squeezed = /\bbr\b/.test(request.headers["accept-encoding"] ?? "");
		const bytes = (squeezed ? file.brotli : undefined) ?? file.plain;
		response.writeHead(200, {
			...file.headers,
			...(bytes === file.brotli ? { "content-encoding": "br" } : {}),
			"content-length": bytes.length,
		});
		response.end(request.method === "HEAD" ? undefined : bytes);
	};
}

const text_headers = {
	...headers_of_all,
	"content-type": "text/plain; charset=utf-8",
	"cache-control": "no-store",
};

const not_built = {
	status: 503,
	text: "The dashboard has not been built in this checkout yet. Run: npm run build\n",
};

const nothing_here = { status: 404, text: "There is no such file.\n" };

function readFiles(folder: string): ReadonlyMap<string, StaticFile> {
	const files = new Map<string, StaticFile>();
	for (const name of existsSync(folder) ? readdirSync(folder) : []) {
		const type = types[name.split(".").at(-1) ?? ""];
		if (type === undefined) continue;
		const plain = readFileSync(join(folder, name));
		const twin = join(folder, `${name}.br`);
		const is_page = name === "index.html";
		const digest = createHash("sha256").update(plain).digest("base64url");
		files.set(is_page ? "/" : `/assets/${name}`, {
			plain,
			brotli: existsSync(twin) ? readFileSync(twin) : undefined,
			headers: {
				...headers_of_all,
				"content-type": type,
				"cache-control": is_page ? "no-cache" : for_good,
				etag: `"${digest.slice(0, 22)}"`,
				vary: "accept-encoding",
			},
		});
	}
	return files;
}
