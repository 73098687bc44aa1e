import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuthorizationServer } from "oauth4webapi";
import { by_itself as spec } from "../../../../test/support/oauth-spec.ts";
import { type RegisterOptions, register } from "./register.ts";

/** Who we are to an issuer, in order (authorization, 2026-07-28, client registration). */

const document = "https://moorage.example/oauth/client.json";
const redirect_uri = "https://moorage.example/oauth/callback";
const every_way: AuthorizationServer = {
	issuer: "https://login.example",
	client_id_metadata_document_supported: true,
	registration_endpoint: "https://login.example/register",
};

/** Registers at an issuer that registers everybody who asks. */
async function registerWith(change: Partial<RegisterOptions>) {
	const bodies: Record<string, unknown>[] = [];
	const registration = await register({
		spec,
		server: every_way,
		redirect_uri,
		known: {},
		now_ms: 1_000,
		fetch: (_url, init) => {
			bodies.push(JSON.parse(init?.body ?? "{}") as Record<string, unknown>);
			const answer = { client_id: "dynamic", client_secret: "s3cret" };
			return Promise.resolve(new Response(JSON.stringify(answer), { status: 201 }));
		},
		...change,
	});
	return { registration, bodies };
}

test("first what the operator registered, though the issuer would take anything", async () => {
	const own = { ...spec, client_id: "ours", client_secret: "c", client_metadata: document };
	const { registration, bodies } = await registerWith({ spec: own });
	assert.equal(registration.client_id, "ours");
	assert.deepEqual(bodies, []);
});

test("then our client-id metadata document, where the issuer takes such", async () => {
	const own = { ...spec, client_metadata: document };
	const { registration, bodies } = await registerWith({ spec: own });
	assert.deepEqual(registration, {
		client_id: document,
		client_secret: undefined,
		auth_method: "none",
	});
	assert.deepEqual(bodies, []);
	const { client_id_metadata_document_supported: _, ...server } = every_way;
	const other = await registerWith({ spec: own, server });
	assert.equal(other.registration.client_id, "dynamic");
});

test("then dynamic registration, with exactly one address to lead back to", async () => {
	const { registration, bodies } = await registerWith({});
	assert.equal(registration.client_id, "dynamic");
	assert.deepEqual(bodies[0]?.["redirect_uris"], [redirect_uri]);
	assert.equal(bodies[0]?.["application_type"], "web");
});

test("a registration is used again until its address or its secret is not good any more", async () => {
	const { registration } = await registerWith({});
	const known = { [every_way.issuer]: { ...registration, expires_at_ms: 2_000 } };
	assert.deepEqual((await registerWith({ known })).bodies, []);
	assert.equal((await registerWith({ known, now_ms: 2_000 })).bodies.length, 1);
	const moved = await registerWith({ known, redirect_uri: `${redirect_uri}/x` });
	assert.equal(moved.bodies.length, 1);
	// That of another issuer is none of this one's business.
	const elsewhere = await registerWith({ known: { "https://other.example": registration } });
	assert.equal(elsewhere.bodies.length, 1);
});

test("where none of it is possible the operator is told what to do", async () => {
	const server = { issuer: "https://login.example" };
	await assert.rejects(registerWith({ server }), /Register Moorage there and set `client_id`/);
	const itself = { ...spec, grant: "client_credentials" } as const;
	await assert.rejects(registerWith({ spec: itself }), /lets nobody register by itself/);
});
