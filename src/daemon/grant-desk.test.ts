import assert from "node:assert/strict";
import { test } from "node:test";
import { startAuthorizationServer } from "../../test/support/authorization-server.ts";
import { by_itself } from "../../test/support/oauth-spec.ts";
import { QuietLog } from "../../test/support/quiet-log.ts";
import { systemClock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import { SecretBox } from "../secrets/box.ts";
import { SecretRedactor } from "../secrets/redactor.ts";
import { openDatabase } from "../store/database.ts";
import { SqlGrantRepository } from "../store/grant-repository.ts";
import { SealedTokenStore } from "../upstreams/http/oauth/sealed-token-store.ts";
import { UpstreamAuths } from "../upstreams/http/oauth/upstream-auths.ts";
import { Connections } from "./connections.ts";
import { Consents } from "./consents.ts";
import { GrantDesk } from "./grant-desk.ts";

test("what is ended is used no more, even where the store fails meanwhile", async (t) => {
	const authorization = await startAuthorizationServer();
	t.after(() => authorization.close());
	const opened = await openDatabase({ path: ":memory:" });
	assert.ok(opened.ok);
	const database = opened.value;
	const [clock, log] = [systemClock, new QuietLog()];
	const box = new SecretBox(Buffer.alloc(32, 1), systemRandom);
	const repository = new SqlGrantRepository(database.connection);
	const store = new SealedTokenStore({
		...{ repository, box, redactor: new SecretRedactor(), clock, log },
	});
	const auths = new UpstreamAuths({
		...{ clock, store, redirectUri: () => "http://127.0.0.1:1/oauth/callback" },
		authorize: (_server, page) => authorization.authorize(page),
	});
	const unused = () => assert.fail("nobody connects here");
	const consents = new Consents(clock, log);
	const connections = new Connections(consents, store, auths, unused, unused);
	const untold = { list: async () => [], remove: async () => undefined };
	const specOf = async () => undefined;
	const desk = new GrantDesk({ store, auths, connections, clock, log, untold, specOf });
	const ana = { tenant: "acme", user: "ana", server: "notes" };
	const auth = await auths.of(
		"notes",
		{ url: `${authorization.issuer}/mcp`, auth: by_itself },
		ana,
	);
	assert.ok((await auth?.connect())?.ok);
	assert.deepEqual(auth?.headers(), ["authorization", "Bearer access-1"]);
	await database.close();
	await assert.rejects(desk.revoke(ana));
	assert.deepEqual(auth?.headers(), []);
});
