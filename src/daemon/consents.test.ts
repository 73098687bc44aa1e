import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { startGateway } from "../../test/support/gateway.ts";
import { QuietLog } from "../../test/support/quiet-log.ts";
import { systemClock } from "../lib/clock.ts";
import { Consents, consent_path } from "./consents.ts";

test("an answer that nobody waits for is refused", async (t) => {
	const gateway = await startGateway({});
	t.after(() => gateway.stop());
	for (const query of ["", "?state=", "?state=forged&code=1"]) {
		const answer = await fetch(`${gateway.url}/oauth/callback${query}`);
		assert.equal(answer.status, 404, query);
	}
});

test("the answer of an authorization page is taken once, by the one who waits for it", async (t) => {
	const consents = new Consents(systemClock, new QuietLog());
	const server = createServer((request, response) => consents.serve(request, response));
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	t.after(() => server.close());
	const waiting = consents.authorize("peer", new URL("https://login.example/"), "known", {
		tenant: "",
		user: "",
	});
	const { port } = server.address() as AddressInfo;
	const answer = `http://127.0.0.1:${port}${consent_path}?state=known&code=1`;
	assert.equal((await fetch(answer)).status, 200);
	assert.equal((await waiting).searchParams.get("code"), "1");
	assert.equal((await fetch(answer)).status, 404);
});
