import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { TestCertificates } from "../../test/support/certificates.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { QuietLog } from "../../test/support/quiet-log.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { openTestStore } from "../../test/support/test-store.ts";
import { loadPlan } from "../config/load.ts";
import { hashApiKey } from "../identity/api-keys.ts";
import { Passwords } from "../identity/passwords.ts";
import { People } from "../identity/people.ts";
import { SecretBox } from "../secrets/box.ts";
import { fileStore } from "../secrets/master-stores.ts";
import { SecretRedactor } from "../secrets/redactor.ts";
import { Vault } from "../secrets/vault.ts";
import { SealedTokenStore } from "../upstreams/http/oauth/sealed-token-store.ts";
import { UpstreamAuths } from "../upstreams/http/oauth/upstream-auths.ts";
import { Connections } from "./connections.ts";
import { Consents } from "./consents.ts";
import { CredentialExpiry } from "./expiring.ts";
import { GrantDesk } from "./grant-desk.ts";

const day_ms = 86_400_000;

/** The rooms in which credentials are kept, on a configuration. */
async function setUp(t: TestContext, config: object) {
	const folder = await tempFolder(t);
	const clock = new FakeClock();
	const random = new SeededRandom(1);
	const { database, repositories } = await openTestStore(clock);
	t.after(() => database.close());
	const path = join(folder, "moorage.yaml");
	await writeFile(path, JSON.stringify({ version: 1, ...config }));
	const loaded = await loadPlan({
		path,
		cwd: folder,
		environment: {},
		home: folder,
		overrides: {},
	});
	assert.ok(loaded.ok, JSON.stringify(loaded));
	const people = new People({
		repository: repositories.people,
		passwords: new Passwords(random),
		clock,
		random,
		noteKeyUse: () => undefined,
	});
	const master = fileStore(join(folder, "keys", "master-key"), random);
	const vault = new Vault({ rows: repositories.secrets, master, clock, random });
	const store = new SealedTokenStore({
		repository: repositories.grants,
		box: new SecretBox(Buffer.alloc(32, 1), random),
		redactor: new SecretRedactor(),
		clock,
		log: new QuietLog(),
	});
	const auths = new UpstreamAuths({
		clock,
		store,
		authorize: () => Promise.reject(new Error("nobody is asked here")),
		redirectUri: () => "",
	});
	const rooms = () => assert.fail("nobody connects anything here");
	const consents = new Consents(clock, new QuietLog());
	const connections = new Connections(consents, store, auths, rooms, rooms);
	const log = new QuietLog();
	const specOf = () => Promise.resolve(undefined);
	const untold = { list: () => Promise.resolve([]), remove: () => Promise.resolve() };
	const desk = new GrantDesk({ store, auths, connections, clock, log, specOf, untold });
	const expiry = new CredentialExpiry({
		clock,
		plan: () => loaded.value,
		rooms: () => ({ accounts: { people }, secrets: { vault }, grants: { desk } }),
	});
	return { clock, people, vault, store, expiry };
}

test("keys of the configuration and keys that were made since are told of, while they are there", async (t) => {
	const hash = `sha256:${hashApiKey("one")}`;
	const configured = { name: "ci", hash, tenant: "acme", user: "ci", expires: "2026-02-01" };
	const { people, expiry, clock } = await setUp(t, { identity: { keys: [configured] } });
	const expires_at_ms = clock.now() + 9 * day_ms;
	await people.addKey({ name: "laptop", tenant: "acme", user: "ana", expires_at_ms });
	await people.addKey({ name: "ever", tenant: "acme", user: "ana" });
	const names = async () => (await expiry.list()).map(({ kind, name }) => `${kind} ${name}`);
	assert.deepEqual(await names(), ["key ci", "key laptop"]);
	assert.equal((await expiry.list())[1]?.expires_at_ms, expires_at_ms);
	await people.removeKey("laptop");
	assert.deepEqual(await names(), ["key ci"]);
});

test("values of the vault are told of by their age, each of its owner, until they are exchanged", async (t) => {
	const { vault, expiry, clock } = await setUp(t, { secrets: { age_days_max: 90 } });
	const began_ms = clock.now();
	await vault.set("token", { tenant: "", user: "" }, "a-first-value");
	await vault.set("token", { tenant: "acme", user: "ana" }, "her-own-value");
	const at = (days: number) => ({
		since_ms: began_ms + days * day_ms,
		expires_at_ms: began_ms + (days + 90) * day_ms,
	});
	assert.deepEqual(await expiry.list(), [
		{ kind: "secret", name: "token", ...at(0) },
		{ kind: "secret", name: "token/acme/ana", ...at(0) },
	]);
	await clock.advance(80 * day_ms);
	await vault.set("token", { tenant: "", user: "" }, "a-second-value");
	assert.deepEqual((await expiry.list())[0], { kind: "secret", name: "token", ...at(80) });
});

test("authorizations are told of that a person has to give again", async (t) => {
	const address = (name: string) => `https://${name}.example/mcp`;
	const { store, expiry, clock } = await setUp(t, {
		servers: {
			notes: { url: address("notes"), auth: "oauth" },
			robot: {
				url: address("robot"),
				auth: "oauth",
				oauth: { grant: "client_credentials", client_id: "us", client_secret: "${secret:robot}" },
			},
		},
	});
	const keep = (server: string, user: string, days: number, change: object = {}) =>
		store.keep(
			{ tenant: user === "" ? "" : "acme", user, server, about: "it" },
			{
				issuer: "https://issuer.example",
				resource: address(server),
				access_token: `token-of-${user}-at-${server}`,
				refresh_token: undefined,
				scopes: [],
				renew_at_ms: clock.now() + days * day_ms,
				registration: undefined,
				...change,
			},
		);
	await keep("notes", "ana", 30);
	await keep("notes", "", 60);
	await keep("notes", "renews", 30, { refresh_token: "refresh-token" });
	await keep("notes", "endless", 30, { renew_at_ms: undefined });
	await keep("notes", "hourly", 1 / 24);
	await keep("robot", "", 30);
	await keep("removed", "ana", 30);
	const since_ms = clock.now();
	const ends = async () =>
		(await expiry.list()).map(({ name, expires_at_ms }) => [
			name,
			(expires_at_ms - since_ms) / day_ms,
		]);
	assert.deepEqual(await ends(), [
		["notes", 60],
		["notes/acme/ana", 30],
	]);
	// Another issuer was asked since: what it gave is in use.
	await clock.advance(day_ms);
	await keep("notes", "ana", 40, { issuer: "https://another.example" });
	await clock.advance(day_ms);
	assert.deepEqual((await ends())[1], ["notes/acme/ana", 41]);
});

test("certificates are told of with the end of the first of a file, and as they are now", async (t) => {
	const files = await tempFolder(t);
	const made = new TestCertificates(files);
	const authority = await made.authority("authority");
	const own = await made.signed("own", authority);
	const [cert, client_ca] = [join(files, "live.pem"), join(files, "authorities.pem")];
	await writeFile(cert, own.cert + authority.cert);
	await writeFile(client_ca, authority.cert);
	const { expiry, clock } = await setUp(t, {
		public_url: "https://localhost:8443",
		tls: { cert, key: own.key_path, client_ca },
	});
	const found = await expiry.list();
	assert.deepEqual(
		found.map(({ kind, name }) => [kind, name]),
		[
			["certificate", cert],
			["certificate", client_ca],
		],
	);
	const first_ms = Math.min(
		...[own, authority].map((one) => Date.parse(new X509Certificate(one.cert).validTo)),
	);
	assert.equal(found[0]?.expires_at_ms, first_ms);
	assert.equal(first_ms - (found[0]?.since_ms ?? 0), 2 * day_ms);
	await rm(cert);
	await clock.advance(60_000);
	assert.deepEqual(
		(await expiry.list()).map(({ name }) => name),
		[client_ca],
	);
});

test("a store that cannot be read is no answer, and is asked again", async (t) => {
	const { vault, expiry } = await setUp(t, {});
	await vault.set("token", { tenant: "", user: "" }, "a-first-value");
	const broken = t.mock.method(vault, "list", () => Promise.reject(new Error("no disk")));
	await assert.rejects(expiry.list(), /no disk/);
	broken.mock.restore();
	assert.equal((await expiry.list()).length, 1);
});
