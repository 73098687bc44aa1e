import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { authorization, callback, pkce, startLogin } from "../../test/support/login-scene.ts";

const text = fc.string({ maxLength: 200, unit: "binary" });
const header_text = text.map((value) => value.replaceAll(/[^\x20-\x7e]/g, "?"));
const runs = { numRuns: 60 };

test("whatever is sent to the authorization server is answered as a mistake, never a failure", async (t) => {
	const scene = await startLogin({ registration: true, client_documents: ["*"] });
	t.after(() => scene.close());
	await scene.client({
		client_id: "app",
		redirect_uris: [callback],
		token_endpoint_auth_method: "none",
	});
	const browser = scene.browser();
	const page = await browser.follow(authorization(scene, pkce().challenge));
	const names = ["client_id", "redirect_uri", "scope", "resource", "state", "code_challenge"];
	const answered = async (path: string, init: RequestInit) => {
		const response = await fetch(`${scene.issuer}${path}`, { ...init, redirect: "manual" });
		await response.text();
		assert.ok(response.status < 500, `${path}: ${response.status}`);
	};
	await fc.assert(
		fc.asyncProperty(fc.constantFrom(...names), text, async (name, value) => {
			const target = authorization(scene, pkce().challenge, { [name]: value });
			await answered(target.slice(scene.issuer.length), {});
		}),
		runs,
	);
	await fc.assert(
		fc.asyncProperty(
			fc.dictionary(fc.constantFrom("grant_type", "code", "refresh_token", "client_id"), text),
			header_text,
			async (fields, authorization_header) => {
				const headers = { authorization: authorization_header };
				const body = new URLSearchParams(fields);
				await answered("/oauth/token", { method: "POST", headers, body });
				await answered("/oauth/revoke", { method: "POST", headers, body });
			},
		),
		runs,
	);
	await fc.assert(
		fc.asyncProperty(header_text, header_text, async (value, path) => {
			const cookie = `moorage_interaction=${value}; moorage_login=${path}; moorage_resume`;
			await answered(page.url.pathname, { headers: { cookie } });
			await answered(`/oauth/interaction/${encodeURIComponent(path)}`, { headers: { cookie } });
		}),
		runs,
	);
	await fc.assert(
		fc.asyncProperty(fc.json({ maxDepth: 3 }), async (body) => {
			const headers = { "content-type": "application/json" };
			await answered("/oauth/register", { method: "POST", headers, body });
		}),
		runs,
	);
	assert.deepEqual(
		scene.log.lines.filter(({ level }) => level === "error"),
		[],
	);
});
