import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
	Client as ClientV2,
	StreamableHTTPClientTransport as HttpV2,
	type OAuthClientProvider as ProviderV2,
} from "@modelcontextprotocol/client";
import type { OAuthClientProvider as ProviderV1 } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { readAdminToken } from "../../src/admin/token.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { Browser, callback, logInAndConsent, password } from "../support/login-scene.ts";
import { memoryProvider } from "../support/memory-provider.ts";

/*
 * A client with a token that is not enough for a tool: the refusal tells it what the tool needs,
 * the authorization server of the gateway gives it once the person has agreed, and the call passes.
 */

const info = { name: "step-up-test", version: "1.0.0" };
/** The tool's scopes stand at the tool alone. */
const needed = "mcp notes.write tools";
const sorted = (scopes = "") => scopes.split(" ").sort().join(" ");

let gateway: TestGateway;

before(async () => {
	gateway = await startGateway({
		identity: { scopes: ["mcp"], login: { registration: true } },
		servers: {
			echo: {
				...stdioFixture("sdk-v1-stdio"),
				tools: { echo: { scopes: ["tools"] }, "ec*": { scopes: ["notes.write"] } },
			},
		},
	});
	const token = await readAdminToken(`${gateway.folder}/.moorage`);
	assert.ok(token.ok);
	const added = await fetch(`${gateway.url}/api/users`, {
		method: "POST",
		headers: { authorization: `Bearer ${token.value}`, "content-type": "application/json" },
		body: JSON.stringify({ tenant: "acme", user: "ana", password }),
	});
	assert.equal(added.status, 201, await added.text());
});

after(() => gateway.stop());

/** The page that a client wants its person to see. */
function pages() {
	let latest: URL | undefined;
	return {
		show: (page: URL) => {
			latest = page;
		},
		take() {
			const page = latest;
			latest = undefined;
			assert.ok(page !== undefined, "no page was shown");
			return page;
		},
	};
}

/** Logs in first, and then allows more in the same browser, without a password. */
async function allowMore(browser: Browser, page: URL): Promise<URLSearchParams> {
	const asked = (page.searchParams.get("scope") ?? "").replace("offline_access", "").trim();
	assert.equal(sorted(asked.replaceAll(/ +/g, " ")), needed);
	const consent = await browser.follow(page);
	assert.doesNotMatch(consent.text, /type="password"/);
	// What was allowed before is not asked again.
	assert.match(consent.text, /<code>tools<\/code>/);
	assert.match(consent.text, /<code>notes\.write<\/code>/);
	assert.doesNotMatch(consent.text, /use the MCP servers/);
	const done = await browser.submit(consent, "consent");
	assert.ok(done.location !== undefined, done.text);
	return done.location.searchParams;
}

for (const mode of ["legacy", { pin: "2026-07-28" }] as const) {
	const name = mode === "legacy" ? "2025-11-25" : mode.pin;
	test(`the SDK 2.x gets what a tool needs from the refusal of its call (${name})`, async (t) => {
		const shown = pages();
		const { provider, kept } = memoryProvider(callback, shown.show);
		const browser = new Browser(gateway.url);
		const open = () => {
			const authProvider = provider as unknown as ProviderV2;
			const transport = new HttpV2(gateway.address("echo"), { authProvider });
			const options = mode === "legacy" ? {} : { versionNegotiation: { mode } };
			return { transport, client: new ClientV2(info, options) };
		};
		const first = open();
		await assert.rejects(first.client.connect(first.transport));
		const answer = await logInAndConsent(browser, shown.take().href);
		await first.transport.finishAuth(answer.searchParams);
		assert.equal(kept.tokens?.scope, "mcp");
		const { client, transport } = open();
		await client.connect(transport);
		t.after(() => client.close());
		const call = () => client.callTool({ name: "echo", arguments: { text: "hi" } });
		await assert.rejects(call(), { name: "UnauthorizedError" });
		await transport.finishAuth(await allowMore(browser, shown.take()));
		assert.equal(sorted(kept.tokens?.scope), needed);
		assert.match(JSON.stringify(await call()), /hi/);
	});
}

test("the SDK 1.x gets what a tool needs as well, when it has nothing to renew its token with", async (t) => {
	const shown = pages();
	// With a refresh token it would renew what it has, which is no more than before.
	const { provider, kept } = memoryProvider(callback, shown.show, ["authorization_code"]);
	const browser = new Browser(gateway.url);
	const open = () => {
		const authProvider = provider as unknown as ProviderV1;
		const transport = new HttpV1(gateway.address("echo"), { authProvider });
		return { transport, client: new ClientV1(info) };
	};
	const first = open();
	await assert.rejects(first.client.connect(first.transport));
	const answer = await logInAndConsent(browser, shown.take().href);
	await first.transport.finishAuth(answer.searchParams.get("code") ?? "");
	const { client, transport } = open();
	await client.connect(transport);
	t.after(() => client.close());
	const call = () => client.callTool({ name: "echo", arguments: { text: "hi" } });
	await assert.rejects(call(), { name: "Error", message: /Unauthorized/ });
	const more = await allowMore(browser, shown.take());
	await transport.finishAuth(more.get("code") ?? "");
	assert.equal(sorted(kept.tokens?.scope), needed);
	assert.match(JSON.stringify(await call()), /hi/);
});
