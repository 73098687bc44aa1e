import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startGateway } from "../support/gateway.ts";
import { type Services, startServices } from "../support/services.ts";
import { ModernWire } from "../support/wire-clients.ts";

/** Servers of well-known services, configured by the name of the service, in a whole gateway. */

let services: Services;
before(async () => {
	services = await startServices();
});
after(() => services.stop());

test("a server of a service is configured with a word, and goes on when its token ends", async () => {
	const origin = (name: string) => services.origins[name] ?? "";
	const us = { client_id: "us", client_secret: "${env:SERVICE_SECRET}" };
	const server = (name: string, oauth: object) => ({
		url: `${origin(name)}/mcp`,
		auth: "oauth",
		start: "on-demand",
		oauth: { preset: name, ...oauth },
	});
	const pages: string[] = [];
	const gateway = await startGateway(
		{
			servers: {
				github: server("github", { ...us, issuer: `${origin("github")}/github.com/login/oauth` }),
				slack: server("slack", { ...us, issuer: `${origin("slack")}/slack.com` }),
				gitlab: server("gitlab", { issuer: origin("gitlab") }),
			},
		},
		{
			drain_ms: 100,
			environment: { SERVICE_SECRET: "s3cret-of-us" },
			authorize: async (name, page) => {
				pages.push(name);
				const answer = await fetch(page, { redirect: "manual" });
				return new URL(answer.headers.get("location") ?? "");
			},
		},
	);
	try {
		for (const name of ["github", "slack", "gitlab"]) {
			const client = new ModernWire(gateway.address(name));
			assert.equal((await client.call("look")).result?.content?.[0]?.text, "seen", name);
			await services.expire(name);
			assert.equal((await client.call("look")).result?.content?.[0]?.text, "seen", name);
		}
		// Nothing renews a token of the first.
		assert.deepEqual(pages, ["github", "github", "slack", "gitlab"]);
	} finally {
		await gateway.stop();
	}
});
