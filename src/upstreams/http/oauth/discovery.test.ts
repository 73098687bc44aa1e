import assert from "node:assert/strict";
import { test } from "node:test";
import { type BearerChallenge, readChallenge } from "./challenge.ts";
import { discover, serverMetadataUrls } from "./discovery.ts";

/** Where things are looked for, and in which order (authorization, 2026-07-28; RFCs 9728, 8414). */

const url = "https://mcp.example/team/mcp";
const at = "https://mcp.example/.well-known/oauth-protected-resource";

/** A network that has these documents and no others, with what was asked for. */
function network(documents: Readonly<Record<string, object>>) {
	const asked: string[] = [];
	const fetch = (address: string) => {
		asked.push(address);
		const found = documents[address];
		return Promise.resolve(
			new Response(JSON.stringify(found ?? {}), { status: found ? 200 : 404 }),
		);
	};
	return { asked, fetch };
}

function look(
	challenge: BearerChallenge,
	fetch: ReturnType<typeof network>["fetch"],
	preferred: readonly string[],
) {
	return discover({ url, challenge, fetch, preferred, service: undefined });
}

function resourceDocument(...authorization_servers: string[]) {
	return { resource: url, authorization_servers };
}

function serverDocument(issuer: string) {
	return { issuer, token_endpoint: `${issuer}/token` };
}

const issuer = "https://login.example";
const issuer_metadata = `${issuer}/.well-known/oauth-authorization-server`;

test("the metadata that the refusal names comes first, and nothing else is asked", async () => {
	const named = "https://mcp.example/elsewhere/metadata";
	const { asked, fetch } = network({
		[named]: resourceDocument(issuer),
		[`${at}/team/mcp`]: resourceDocument("https://other.example"),
		[issuer_metadata]: serverDocument(issuer),
	});
	const challenge = readChallenge(`Bearer resource_metadata="${named}"`);
	const found = await look(challenge, fetch, []);
	assert.equal(found.server.issuer, issuer);
	assert.deepEqual(asked, [named, issuer_metadata]);
});

test("without it the well-known address with the server's path comes before the one at the root", async () => {
	const both = network({
		[`${at}/team/mcp`]: resourceDocument(issuer),
		[at]: resourceDocument("https://other.example"),
		[issuer_metadata]: serverDocument(issuer),
	});
	await look(readChallenge(undefined), both.fetch, []);
	assert.deepEqual(both.asked, [`${at}/team/mcp`, issuer_metadata]);
	const root_only = network({
		[at]: resourceDocument(issuer),
		[issuer_metadata]: serverDocument(issuer),
	});
	await look(readChallenge(undefined), root_only.fetch, []);
	assert.deepEqual(root_only.asked, [`${at}/team/mcp`, at, issuer_metadata]);
});

test("a server without any is its own issuer, as in 2025-03-26, with metadata or with fixed endpoints", async () => {
	const origin = "https://mcp.example";
	const own = `${origin}/.well-known/oauth-authorization-server`;
	const told = network({ [own]: serverDocument(origin) });
	const found = await look(readChallenge(undefined), told.fetch, []);
	assert.deepEqual(told.asked, [`${at}/team/mcp`, at, own]);
	assert.equal(found.server.token_endpoint, `${origin}/token`);
	assert.equal(found.is_assumed, false);
	const silent = await look(readChallenge(undefined), network({}).fetch, []);
	assert.equal(silent.is_assumed, true);
	assert.equal(silent.server.authorization_endpoint, `${origin}/authorize`);
	assert.equal(silent.resource, url);
});

test("an issuer's metadata is looked for with its path inserted, as OAuth, as OpenID, then appended", () => {
	assert.deepEqual(serverMetadataUrls("https://login.example/tenant"), [
		"https://login.example/.well-known/oauth-authorization-server/tenant",
		"https://login.example/.well-known/openid-configuration/tenant",
		"https://login.example/tenant/.well-known/openid-configuration",
	]);
	assert.deepEqual(serverMetadataUrls(issuer), [
		issuer_metadata,
		`${issuer}/.well-known/openid-configuration`,
	]);
});

test("among several issuers the one that is known already wins, else the first", async () => {
	const other = "https://other.example";
	const documents = {
		[`${at}/team/mcp`]: resourceDocument(issuer, other),
		[issuer_metadata]: serverDocument(issuer),
		[`${other}/.well-known/oauth-authorization-server`]: serverDocument(other),
	};
	const nothing = readChallenge(undefined);
	const first = await look(nothing, network(documents).fetch, []);
	assert.equal(first.server.issuer, issuer);
	const known = await look(nothing, network(documents).fetch, [other]);
	assert.equal(known.server.issuer, other);
	// One that the server does not name is not preferred, however well it is known.
	const foreign = await look(nothing, network(documents).fetch, ["https://evil.example"]);
	assert.equal(foreign.server.issuer, issuer);
});
