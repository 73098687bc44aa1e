import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { by_itself } from "../../../../test/support/oauth-spec.ts";
import { relocated, type Services, startServices } from "../../../../test/support/services.ts";
import type { OAuthService } from "../../../config/oauth-service.ts";
import type { OAuthSpec } from "../../../config/plan.ts";
import { presets } from "../../../config/presets/presets.ts";
import { resolvePreset } from "../../../config/presets/resolve.ts";
import { systemClock } from "../../../lib/clock.ts";
import { isFrom, standardAnswer } from "./service.ts";
import { type Grant, MemoryTokenStore } from "./token-store.ts";
import { UpstreamAuth } from "./upstream-auth.ts";

/** Every preset, against its service as the documentation of that describes it. */

const credentials = { client_id: "us", client_secret: "s3cret-of-us" };

let services: Services;
before(async () => {
	services = await startServices();
});
after(() => services.stop());

const scopes_for: Readonly<Record<string, string[]>> = {
	google: ["https://www.googleapis.com/auth/gmail.readonly"],
	microsoft: ["https://graph.microsoft.com/Mail.Read"],
	atlassian: ["read:jira-work"],
	linear: ["read", "write"],
};

/** Where there is nothing to renew a token with, the person is asked once more. */
const never_renewed = ["github own", "github other", "slack other"];

type Kind = "own" | "other";

/** What a configuration becomes that names a preset, for the service's own server or another. */
function configured(preset: string, kind: Kind): OAuthSpec {
	const { mcp, api } = presets[preset] ?? {};
	const facts = kind === "own" ? mcp : api;
	assert.ok(facts !== undefined);
	const host = mcp?.hosts[0]?.replace("*", "gmailmcp");
	const scopes = facts.scopes === "to be named" || kind === "other" ? scopes_for[preset] : [];
	const given = facts.registration === "by_hand" ? credentials : {};
	const resolved = resolvePreset({
		preset,
		url: kind === "own" ? `https://${host}/mcp` : "https://tools.example.com/mcp",
		tenant: undefined,
		spec: { ...by_itself, ...given, scopes: scopes ?? [] },
	});
	assert.ok(resolved.ok, JSON.stringify(resolved));
	return resolved.value;
}

/** One person's authorization, at a service that is here instead of in the world. */
function rig(preset: string, kind: Kind, change: Partial<OAuthService> = {}) {
	const spec = configured(preset, kind);
	const origin = services.origins[preset] ?? "";
	assert.ok(spec.service !== undefined);
	const service = { ...relocated(spec.service, origin), ...change };
	const issuer = spec.issuer && service.issuer;
	const store = new MemoryTokenStore();
	const key = { tenant: "acme", user: "ana", server: "server" };
	const pages: URL[] = [];
	const auth = new UpstreamAuth({
		url: `${origin}/mcp`,
		spec: { ...spec, service, issuer },
		key,
		store,
		inTurn: (work) => work(),
		clock: systemClock,
		authorize: async (page) => {
			pages.push(page);
			const answer = await fetch(page, { redirect: "manual" });
			return new URL(answer.headers.get("location") ?? "");
		},
		redirectUri: () => "http://127.0.0.1:1/oauth/callback",
	});
	/** A call that is refused: then what the server says to the token that was got, or the advice. */
	const refuse = async () => {
		const headers = { "www-authenticate": "Bearer" };
		const outcome = await auth.onRefused({ status: 401, headers, token: auth.token, rounds: 0 });
		if (!outcome.ok) return outcome.problem.advice;
		const [name = "", value = ""] = auth.headers();
		const answer = await fetch(`${origin}/mcp`, { headers: { [name]: value } });
		return answer.ok ? "served" : answer.status;
	};
	const grant = async (): Promise<Grant | undefined> =>
		(await store.grants({ ...key, about: auth.about }))[0];
	/** A person connects, and the token ends: whether calls go on, and nobody is asked in vain. */
	const works = async (): Promise<boolean> => {
		const connected = await refuse();
		await services.expire(preset);
		const asked = never_renewed.includes(`${preset} ${kind}`) ? 2 : 1;
		return connected === "served" && (await refuse()) === "served" && pages.length === asked;
	};
	return { refuse, grant, works, pages };
}

for (const [preset, { mcp, api }] of Object.entries(presets)) {
	for (const kind of ["own", "other"] as const) {
		if ((kind === "own" ? mcp : api) === undefined) continue;
		const where = kind === "own" ? "its own server" : "a server of others";
		test(`${preset}: a person connects at ${where}, and stays connected`, async () => {
			assert.ok(await rig(preset, kind).works());
		});
	}
}

/** What a service cannot be used without. */
const needed: readonly (readonly [string, Kind, keyof OAuthService])[] = [
	["github", "own", "client_auth"],
	["github", "own", "endpoints"],
	["gitlab", "other", "endpoints"],
	["slack", "own", "endpoints"],
	["slack", "own", "scope_separator"],
	["slack", "own", "token_types"],
	["slack", "other", "scope_parameter"],
	["slack", "other", "token_at"],
	["google", "own", "authorization_parameters"],
	["microsoft", "own", "extra_scopes"],
	["microsoft", "own", "issuer_form"],
	["microsoft", "own", "resource"],
	["notion", "other", "authorization_parameters"],
	["notion", "other", "token_body"],
	["linear", "other", "scope_separator"],
	["atlassian", "own", "issuer"],
	["atlassian", "other", "authorization_parameters"],
	["atlassian", "other", "extra_scopes"],
	["atlassian", "other", "token_body"],
	["salesforce", "own", "extra_scopes"],
];
for (const [preset, kind, fact] of needed) {
	test(`${preset}: without its ${fact} nobody would stay connected (${kind})`, async () => {
		const without = fact === "issuer" ? { issuer: "https://other.example" } : { [fact]: undefined };
		assert.equal(await rig(preset, kind, without).works(), false);
	});
}

test("errors with status 200 are errors, and say what the standard would", async () => {
	for (const [preset, code, standard] of [
		["github", "bad_verification_code", "invalid_grant"],
		["github", "incorrect_client_credentials", "invalid_client"],
		["slack", "invalid_code", "invalid_grant"],
		["slack", "fatal_error", "no valid answer"],
	] as const) {
		const { refuse, grant } = rig(preset, "own");
		await services.breakNext(preset, code);
		assert.match(String(await refuse()), new RegExp(`gave no token \\(${standard}\\)`));
		assert.equal(await grant(), undefined);
	}
});

test("a service that is out of order for a while keeps what people agreed to", async () => {
	const { refuse, grant, pages } = rig("slack", "own");
	await refuse();
	const before = await grant();
	await services.breakNext("slack", "service_unavailable");
	assert.match(String(await refuse()), /gave no token/);
	assert.deepEqual(await grant(), before);
	assert.equal(await refuse(), "served");
	assert.equal(pages.length, 1);
});

test("a wrong secret ends nobody's authorization: it may be put right", async () => {
	const { refuse, grant, pages } = rig("gitlab", "other");
	await refuse();
	const before = await grant();
	await services.breakNext("gitlab", "invalid_client");
	assert.match(String(await refuse()), /does not accept who Moorage is.*client_secret/);
	assert.deepEqual(await grant(), before);
	assert.equal(await refuse(), "served");
	assert.equal(pages.length, 1);
});

test("scopes are written as each service has them", async () => {
	for (const [preset, kind, parameter, text] of [
		["slack", "other", "user_scope", /^search:read\.public,search:read\.users,/],
		["linear", "other", "scope", /^read,write$/],
		["gitlab", "own", "scope", /^mcp$/],
		["microsoft", "other", "scope", /Mail\.Read offline_access$/],
		["salesforce", "own", "scope", /^mcp_api refresh_token$/],
	] as const) {
		const { refuse, pages } = rig(preset, kind);
		await refuse();
		assert.match(pages[0]?.searchParams.get(parameter) ?? "", text);
	}
});

test("the tenant of an answer is any where several may log in, and that one where it is named", () => {
	const { service } = configured("microsoft", "own");
	assert.ok(service !== undefined);
	const tenant = "8d4c1a52-6b0f-4a3e-9c57-2f1e0b7d3a64";
	const of = (name: string) => `https://login.microsoftonline.com/${name}/v2.0`;
	assert.ok(isFrom(of(tenant), service.issuer, service));
	assert.ok(!isFrom(of("evil"), service.issuer, service));
	assert.ok(!isFrom(`${of(tenant)}/`, service.issuer, service));
	assert.ok(!isFrom(of(tenant).replace("microsoftonline", "example"), service.issuer, service));
	assert.ok(!isFrom(of(tenant), of("11111111-2222-3333-4444-555555555555"), service));
	assert.ok(!isFrom(of(tenant), service.issuer, undefined));
});

test("a service answers with a form where it is not asked for JSON, and is understood", async () => {
	const form = "access_token=gho_x&scope=repo%2Cgist&token_type=bearer&expires_in=28800";
	const { service } = configured("github", "own");
	const answer = await standardAnswer(service, new Response(form));
	assert.deepEqual(await answer.json(), {
		access_token: "gho_x",
		token_type: "bearer",
		expires_in: 28_800,
		scope: "repo,gist",
	});
	for (const nonsense of ["<html>", "[]", "null", "", "a=<b>", '{"access_token":']) {
		const kept = await standardAnswer(service, new Response(nonsense, { status: 502 }));
		assert.equal(kept.status, 502);
		assert.equal(await kept.text(), nonsense);
	}
});
