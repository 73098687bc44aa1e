import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, type TestContext, test } from "node:test";
import {
	Client as ClientV2,
	StreamableHTTPClientTransport as HttpV2,
	type OAuthClientProvider as ProviderV2,
} from "@modelcontextprotocol/client";
import type { OAuthClientProvider as ProviderV1 } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { readAdminToken } from "../../src/admin/token.ts";
import { needs_chromium, startBrowser, type TestBrowser } from "../support/browser.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { authorization, password, pkce } from "../support/login-scene.ts";
import { memoryProvider } from "../support/memory-provider.ts";

const info = { name: "login-test", version: "1.0.0" };

/** Where a client waits for the browser to come back, as a program on the person's machine. */
async function startCallback() {
	const { promise, resolve } = Promise.withResolvers<URLSearchParams>();
	const server = createServer((request, response) => {
		const url = new URL(request.url ?? "/", "http://localhost");
		response.end("You can close this page.");
		if (url.pathname === "/callback") resolve(url.searchParams);
	});
	await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
	const { port } = server.address() as AddressInfo;
	return {
		redirect_url: `http://127.0.0.1:${port}/callback`,
		called: promise,
		close() {
			server.closeAllConnections();
			server.close();
		},
	};
}

describe("real clients log in through the browser", { skip: needs_chromium }, () => {
	let gateway: TestGateway;
	let browser: TestBrowser;

	before(async () => {
		gateway = await startGateway({
			identity: { login: { registration: true } },
			servers: { echo: stdioFixture("sdk-v1-stdio") },
		});
		const token = await readAdminToken(`${gateway.folder}/.moorage`);
		assert.ok(token.ok);
		const added = await fetch(`${gateway.url}/api/users`, {
			method: "POST",
			headers: { authorization: `Bearer ${token.value}`, "content-type": "application/json" },
			body: JSON.stringify({ tenant: "acme", user: "ana", password }),
		});
		assert.equal(added.status, 201);
		await added.text();
		browser = await startBrowser();
	});

	after(async () => {
		await browser.close();
		await gateway.stop();
	});

	/** What a person does: logs in where that is asked, and allows what is asked. */
	async function allow(page_address: string): Promise<void> {
		const page = await browser.open(page_address);
		const name = page.getByLabel("Name");
		const allowed = page.getByRole("button", { name: "Allow", exact: true });
		await name.or(allowed).waitFor();
		if (await name.isVisible()) {
			await name.fill("ana");
			await page.getByLabel("Password").fill(password);
			await page.getByRole("button", { name: "Log in" }).click();
		}
		await allowed.waitFor();
		assert.match(await page.locator("main").innerText(), /program on this computer/);
		await allowed.click();
		await page.waitForURL(/\/(callback|oauth\/callback)\b/);
		await page.close();
	}

	test("the SDK 1.x registers, logs in, and calls a tool", async (t) => {
		const waiting = await startCallback();
		t.after(() => waiting.close());
		let authorization: URL | undefined;
		const { provider, kept } = memoryProvider(waiting.redirect_url, (page) => {
			authorization = page;
		});
		const connect = async () => {
			const authProvider = provider as unknown as ProviderV1;
			const transport = new HttpV1(gateway.address("echo"), { authProvider });
			const client = new ClientV1(info);
			return { transport, client, connecting: client.connect(transport) };
		};
		const first = await connect();
		await assert.rejects(first.connecting, /Unauthorized/);
		assert.equal(authorization?.searchParams.get("resource"), gateway.address("echo").href);
		await allow(String(authorization));
		const params = await waiting.called;
		assert.equal(params.get("iss"), gateway.url);
		await first.transport.finishAuth(params.get("code") ?? "");
		const second = await connect();
		await second.connecting;
		t.after(() => second.client.close());
		const { tools } = await second.client.listTools();
		assert.ok(tools.length > 0);
		assert.ok(kept.tokens !== undefined);
	});

	test("the SDK 2.x registers, logs in, and lists tools in the modern revision", async (t) => {
		const waiting = await startCallback();
		t.after(() => waiting.close());
		let authorization: URL | undefined;
		const { provider } = memoryProvider(waiting.redirect_url, (page) => {
			authorization = page;
		});
		const connect = async () => {
			const authProvider = provider as unknown as ProviderV2;
			const transport = new HttpV2(gateway.address("mcp"), { authProvider });
			const client = new ClientV2(info, {
				versionNegotiation: { mode: { pin: "2026-07-28" } },
			});
			return { transport, client, connecting: client.connect(transport) };
		};
		const first = await connect();
		await assert.rejects(first.connecting);
		await allow(String(authorization));
		await first.transport.finishAuth(await waiting.called);
		const second = await connect();
		await second.connecting;
		t.after(() => second.client.close());
		const { tools } = await second.client.listTools();
		assert.ok(tools.some(({ name }) => name.startsWith("echo__")));
	});

	test("the pages fit a phone, are light or dark as the person likes, and work by keyboard", async () => {
		const made = await fetch(`${gateway.url}/oauth/register`, {
			method: "POST",
			headers: { "content-type": "application/json" },
			body: JSON.stringify({
				client_name: "A client with a rather long name, as some of them have",
				redirect_uris: ["https://client.example/callback"],
				token_endpoint_auth_method: "none",
			}),
		});
		const { client_id } = (await made.json()) as { client_id: string };
		const person = await startBrowser();
		try {
			const scene = { issuer: gateway.url, resource: gateway.address("echo").href };
			const target = authorization(scene, pkce().challenge, { client_id });
			const page = await person.open(target);
			const violations: string[] = [];
			page.on("console", (message) => violations.push(message.text()));
			await page.setViewportSize({ width: 375, height: 700 });
			const background = () =>
				page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
			const width = () => page.evaluate<number>("document.documentElement.scrollWidth");
			const looks = async () => {
				const colours: string[] = [];
				for (const colorScheme of ["light", "dark"] as const) {
					await page.emulateMedia({ colorScheme });
					colours.push(await background());
				}
				return new Set(colours).size;
			};
			assert.equal(await looks(), 2);
			assert.ok((await width()) <= 375);
			await page.getByLabel("Name").fill("ana");
			await page.keyboard.press("Tab");
			await page.keyboard.type(password);
			await page.keyboard.press("Enter");
			await page.getByRole("button", { name: "Allow", exact: true }).waitFor();
			assert.equal(await looks(), 2);
			assert.ok((await width()) <= 375);
			assert.deepEqual(violations, []);
		} finally {
			await person.close();
		}
	});

	const script = process.env["MOORAGE_TEST_MCP_REMOTE"];
	const missing = script === undefined ? "mcp-remote is not installed" : false;
	test("mcp-remote logs in for a client that speaks stdio only", { skip: missing }, async (t) => {
		const remote = await startRemote(t, script ?? "", gateway.address("echo"));
		await allow(await remote.page);
		const reply = await remote.answer;
		assert.equal(reply.result?.serverInfo?.name !== undefined, true, JSON.stringify(reply));
	});
});

interface InitializeReply {
	readonly result?: { readonly serverInfo?: { readonly name?: string } };
}

/** Starts mcp-remote and asks it to initialize; the page it wants opened, and its answer. */
async function startRemote(t: TestContext, script: string, address: URL) {
	const home = await mkdtemp(join(tmpdir(), "moorage-test-"));
	const env = { PATH: "", HOME: home, MCP_REMOTE_CONFIG_DIR: join(home, "auth") };
	const args = [script, address.href, "--allow-http", "--transport", "http-only"];
	const child = spawn(process.execPath, args, { env, stdio: "pipe" });
	t.after(async () => {
		child.kill("SIGKILL");
		if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
		await rm(home, { recursive: true, force: true, maxRetries: 5 });
	});
	const page = Promise.withResolvers<string>();
	const answer = Promise.withResolvers<InitializeReply>();
	let said = "";
	child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
		said += chunk;
		const found = /(https?:\/\/\S+\/oauth\/authorize\?\S+)\s/.exec(said)?.[1];
		if (found !== undefined) page.resolve(found);
	});
	child.on("exit", () => {
		page.reject(new Error(`mcp-remote ended: ${said}`));
		answer.reject(new Error(`mcp-remote ended: ${said}`));
	});
	answer.promise.catch(() => undefined);
	createInterface({ input: child.stdout }).once("line", (line) => {
		answer.resolve(JSON.parse(line) as InitializeReply);
	});
	const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: info };
	const message = { jsonrpc: "2.0", id: 1, method: "initialize", params };
	child.stdin.write(`${JSON.stringify(message)}\n`);
	return { page: page.promise, answer: answer.promise };
}
