import assert from "node:assert/strict";
import { test } from "node:test";
import { startAuthorizationServer } from "../support/authorization-server.ts";
import { startGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";
import { ModernWire } from "../support/wire-clients.ts";

/** Somebody has the pages of two authorizations at one server open. */

test("the answer of each page is followed by what came of it, whatever becomes of the other", async (t) => {
	const authorization = await startAuthorizationServer({
		mcp: (_request, response) => void response.writeHead(404).end(),
	});
	t.after(() => authorization.close());
	const url = `${authorization.issuer}/mcp`;
	const asking = (...scopes: string[]) => ({
		servers: { notes: { url, auth: "oauth", start: "on-demand", oauth: { scopes } } },
	});
	const gateway = await startGateway(asking("read"), { drain_ms: 100 });
	t.after(() => gateway.stop());
	const pages = () =>
		gateway.log.lines.flatMap(({ fields }) => ("page" in fields ? [String(fields.page)] : []));
	const calls: Promise<unknown>[] = [];
	const ask = async (open: number) => {
		const wire = new ModernWire(gateway.address("notes"));
		calls.push(wire.call("whoami").catch(() => undefined));
		await until(() => pages().length === open);
	};
	await ask(1);
	// With other scopes it is another authorization; the page of the one before still waits.
	assert.ok((await gateway.reconfigure(asking("read", "write"))).ok);
	await ask(2);
	const [before = "", now = ""] = pages();
	const answer = async (page: string) => fetch(await authorization.authorize(new URL(page)));
	const answered = await answer(now);
	assert.equal(answered.status, 200);
	assert.match(await answered.text(), /notes is connected/);
	// By then the token is there, not only on its way.
	assert.ok(authorization.requests("/token").length === 1);
	await answer(before);
	assert.equal(authorization.requests("/token").length, 2);
	await Promise.all(calls);
});
