import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";

/** Where the Debian package `chromium` puts the browser. */
const chromium_path = "/usr/bin/chromium";

/** The `skip` option of tests that need the browser: why they cannot run here, or false. */
export const needs_chromium = existsSync(chromium_path)
	? false
	: `needs Chromium (Debian package chromium), and there is no ${chromium_path}`;

const chromium_args = [
	"--headless",
	"--no-sandbox",
	"--disable-gpu",
	"--disable-quic",
	"--no-first-run",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
];

/** A headless Chromium with a profile of its own. */
export interface TestBrowser {
	/** Opens a page in a tab of its own. */
	open(address: string): Promise<Page>;
	close(): Promise<void>;
}

/** Starts the browser. Its profile is removed when it is closed. */
export async function startBrowser(): Promise<TestBrowser> {
	const profile = await mkdtemp(join(tmpdir(), "moorage-test-"));
	const context = await chromium.launchPersistentContext(profile, {
		executablePath: chromium_path,
		args: chromium_args,
		chromiumSandbox: false,
	});
	return {
		async open(address) {
			const page = await context.newPage();
			await page.goto(address);
			return page;
		},
		async close() {
			await context.close();
			await rm(profile, { recursive: true, force: true, maxRetries: 5 });
		},
	};
}

/** A web site with one empty page, on an origin of its own. */
export interface TestSite {
	readonly origin: string;
	close(): void;
}

/** Serves an empty page on a free loopback port. */
export async function startSite(): Promise<TestSite> {
	const server = createServer((_request, response) => {
		response.writeHead(200, { "content-type": "text/html", "set-cookie": "seen=1; Path=/" });
		response.end("<!doctype html><title>A page</title><link rel=icon href=data:,>");
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return {
		origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		close() {
			server.closeAllConnections();
			server.close();
		},
	};
}

/** What a script of a page asks `fetch` for. */
export interface PageRequest {
	readonly address: string;
	readonly method?: string;
	readonly headers?: Record<string, string>;
	readonly body?: string;
	readonly credentials?: "include" | "omit";
	readonly mode?: "cors" | "no-cors";
}

/** What the script got: an answer with the headers it may see, or nothing but an error. */
export interface PageAnswer {
	readonly type: string;
	readonly status: number;
	readonly headers: Readonly<Record<string, string>>;
	readonly text: string;
	/** What `fetch` threw; undefined when there is an answer. */
	readonly thrown: string | undefined;
}

/** Calls `fetch` in the page and reads the whole answer, as its own scripts would. */
export function fetchIn(page: Page, request: PageRequest): Promise<PageAnswer> {
	// This function is sent to the browser as text: it can use nothing from out here.
	return page.evaluate(async ({ address, ...init }) => {
		try {
			const response = await fetch(address, init);
			return {
				type: response.type,
				status: response.status,
				headers: Object.fromEntries(response.headers),
				text: await response.text(),
				thrown: undefined,
			};
		} catch (error) {
			return { type: "", status: 0, headers: {}, text: "", thrown: String(error) };
		}
	}, request);
}
