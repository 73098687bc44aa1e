import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { tempFolder } from "../../../test/support/temp-folder.ts";
import { loadPlan } from "../load.ts";
import type { HttpSpec } from "../plan.ts";
import { formatProblem } from "../problem.ts";
import { presets } from "./presets.ts";

/** What a server with these settings becomes, or what is the matter with them. */
async function read(t: TestContext, server: object): Promise<{ spec?: HttpSpec; wrong: string }> {
	const cwd = await tempFolder(t);
	const content = { version: 1, servers: { one: { auth: "oauth", ...server } } };
	await writeFile(join(cwd, "moorage.yaml"), JSON.stringify(content));
	const environment = { SERVICE_ID: "us" };
	const loaded = await loadPlan({
		...{ path: "moorage.yaml", cwd, home: cwd },
		environment,
		overrides: {},
	});
	if (!loaded.ok) return { wrong: loaded.problem.map(formatProblem).join("\n") };
	return { spec: loaded.value.servers[0]?.spec as HttpSpec, wrong: "" };
}

async function specOf(t: TestContext, server: object): Promise<HttpSpec> {
	const { spec, wrong } = await read(t, server);
	assert.ok(spec !== undefined, wrong);
	return spec;
}

const us = { client_id: "${env:SERVICE_ID}", client_secret: "${secret:service}" };

test("a preset knows the address of the service's own server", async (t) => {
	const { url, auth } = await specOf(t, { oauth: { preset: "notion" } });
	assert.equal(url, "https://mcp.notion.com/mcp");
	assert.equal(auth?.service?.endpoints, undefined, "it is led there by the server itself");
	const github = await specOf(t, { oauth: { preset: "github", ...us } });
	assert.equal(github.url, "https://api.githubcopilot.com/mcp/");
	assert.equal(github.auth?.client_id, "us");
	assert.equal(github.auth?.issuer, "https://github.com/login/oauth");
	assert.equal(
		github.auth?.service?.endpoints?.token,
		"https://github.com/login/oauth/access_token",
	);
});

test("a preset has scopes, and those of the configuration take their place", async (t) => {
	const by_default = await specOf(t, {
		oauth: { preset: "sentry", ...us },
		url: "https://a.example",
	});
	assert.deepEqual(by_default.auth?.scopes, ["org:read", "project:read", "event:read"]);
	const named = { preset: "sentry", ...us, scopes: ["org:read"] };
	const own = await specOf(t, { oauth: named, url: "https://a.example" });
	assert.deepEqual(own.auth?.scopes, ["org:read"]);
});

test("whose own server it is decides between the two authorization servers of a service", async (t) => {
	const other = await specOf(t, {
		url: "https://tools.example.com/mcp",
		oauth: { preset: "notion", ...us },
	});
	assert.equal(other.auth?.service?.token_body, "json");
	assert.equal(other.auth?.service?.endpoints?.token, "https://api.notion.com/v1/oauth/token");
	const url = "https://gmailmcp.googleapis.com/mcp/v1";
	const google = await specOf(t, { url, oauth: { preset: "google", ...us, scopes: ["a"] } });
	assert.deepEqual(google.auth?.service?.authorization_parameters, {
		access_type: "offline",
		prompt: "consent",
	});
});

test("a service that somebody runs at an address of their own is another issuer", async (t) => {
	const issuer = "https://git.example.com";
	const own = { url: `${issuer}/api/v4/mcp`, oauth: { preset: "gitlab", issuer } };
	const gitlab = await specOf(t, own);
	assert.deepEqual(gitlab.auth?.scopes, ["mcp"]);
	const ghe = { preset: "github", issuer: "https://ghe.example.com/login/oauth", ...us };
	const github = await specOf(t, { url: "https://tools.example.com/mcp", oauth: ghe });
	assert.equal(
		github.auth?.service?.endpoints?.authorization,
		"https://ghe.example.com/login/oauth/authorize",
	);
});

test("a tenant is a part of every address", async (t) => {
	const url = "https://mcp.svc.cloud.microsoft/enterprise";
	const oauth = { preset: "microsoft", scopes: ["a"], ...us };
	const { auth } = await specOf(t, { url, oauth: { ...oauth, tenant: "contoso.example" } });
	assert.equal(auth?.issuer, "https://login.microsoftonline.com/contoso.example/v2.0");
	assert.match(auth?.service?.endpoints?.token ?? "", /\/contoso\.example\/oauth2\/v2\.0\/token$/);
	const anyone = await specOf(t, { url, oauth });
	assert.match(anyone.auth?.service?.endpoints?.token ?? "", /\/organizations\/oauth2\//);
});

test("a preset that there is not is answered with those that there are", async (t) => {
	const read_it = await read(t, { url: "https://a.example", oauth: { preset: "gitub" } });
	for (const name of Object.keys(presets)) assert.ok(read_it.wrong.includes(`\`${name}\``), name);
});

const mistakes: Readonly<Record<string, readonly [object, RegExp]>> = {
	"a client that has to be registered by hand": [
		{ oauth: { preset: "github" } },
		/GitHub lets nobody register by itself.*https:\/\/github\.com\/settings\/developers/s,
	],
	"scopes that depend on the server": [
		{ url: "https://drivemcp.googleapis.com/mcp/v1", oauth: { preset: "google", ...us } },
		/What to ask Google for depends on the server.*`scopes`/s,
	],
	"a secret where the code challenge protects nothing": [
		{ url: "https://a.example", oauth: { preset: "notion", client_id: "us" } },
		/takes clients with a secret alone/,
	],
	"another server than the one that a service has": [
		{ url: "https://a.example", oauth: { preset: "stripe" } },
		/The preset `stripe` knows the server at `mcp\.stripe\.com` alone/,
	],
	"another issuer than the one that a service has": [
		{
			url: "https://a.example",
			oauth: { preset: "google", ...us, scopes: ["a"], issuer: "https://evil.example" },
		},
		/knows one issuer alone: https:\/\/accounts\.google\.com/,
	],
	"a tenant where there are none": [
		{ oauth: { preset: "linear", tenant: "acme" } },
		/The preset `linear` knows no tenants/,
	],
	"a tenant that is none": [
		{
			url: "https://a.example",
			oauth: { preset: "microsoft", ...us, scopes: ["a"], tenant: "a/../b" },
		},
		/This is no tenant/,
	],
	"a tenant without a preset": [
		{ url: "https://a.example", oauth: { tenant: "acme" } },
		/`tenant` has no meaning without `preset`/,
	],
	"no address and no server of the service's own": [
		{ oauth: { preset: "google", ...us, scopes: ["a"] } },
		/has neither `command` nor `url` nor `image`/,
	],
};
for (const [what, [server, message]] of Object.entries(mistakes)) {
	test(`a preset says what is missing: ${what}`, async (t) => {
		assert.match((await read(t, server)).wrong, message);
	});
}

test("every preset says where its facts stand, and where a client is registered", () => {
	for (const [name, { documentation, register_at, mcp, api }] of Object.entries(presets)) {
		assert.equal(new URL(documentation).protocol, "https:", name);
		const all = [mcp, api].filter((facts) => facts !== undefined);
		assert.ok(all.length > 0, name);
		const by_hand = all.some(({ registration }) => registration === "by_hand");
		assert.ok(!by_hand || register_at !== undefined, name);
		for (const { issuer, endpoints } of all) {
			for (const address of [issuer, ...Object.values(endpoints ?? {})]) {
				assert.match(address, /^(https:\/|)\/[^/]/, name);
			}
		}
		if (mcp?.url !== undefined) assert.ok(mcp.hosts.includes(new URL(mcp.url).host), name);
	}
});
