import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { needs_chromium, startBrowser, type TestBrowser } from "../support/browser.ts";
import { connectV1, connectV2Modern } from "../support/clients.ts";
import { assertAccessible, assertFits, watchTroubles } from "../support/dashboard-scene.ts";
import { type Command, ExampleShell } from "../support/example-shell.ts";
import { password } from "../support/login-scene.ts";
import { type MoorageProcess, startMoorage } from "../support/moorage-process.ts";
import { eventually } from "../support/processes.ts";

/*
 * examples/oauth-upstream as its README says, with a real browser for each person: accounts at a
 * real authorization server, tokens with so short a life that they are renewed all the time.
 */

const options = { skip: needs_chromium };
/** How often each person's token is renewed before the soak is over. */
const renewals_wanted = 8;

type Person = "ana" | "bob";
let shell: ExampleShell;
let accounts: Command;
let notes: Command;
let moorage: MoorageProcess;
const browsers = new Map<Person, TestBrowser>();

before(async () => {
	if (needs_chromium !== false) return;
	shell = await ExampleShell.copy("oauth-upstream");
	const [port, notes_port] = await Promise.all([freePort(), freePort()]);
	const config_path = join(shell.folder, "moorage.yaml");
	const config = await readFile(config_path, "utf8");
	assert.ok(config.includes("127.0.0.1:9400"));
	await writeFile(config_path, config.replace("127.0.0.1:9400", `127.0.0.1:${notes_port}`));
	accounts = shell.type("node accounts.mjs", {
		environment: {
			PORT: `${port}`,
			NOTES: `http://127.0.0.1:${notes_port}/mcp`,
			TOKEN_SECONDS: "2",
		},
	});
	await accounts.printed(/accounts at/);
	notes = shell.type("node notes.mjs", {
		environment: { PORT: `${notes_port}`, ACCOUNTS: `http://127.0.0.1:${port}` },
	});
	await notes.printed(/notes at/);
	moorage = await startMoorage(config_path, join(shell.folder, ".moorage"));
	shell.note("moorage up moorage.yaml");
	shell.environment["MOORAGE_URL"] = moorage.report.url;
	for (const person of ["ana", "bob"] as const) browsers.set(person, await startBrowser());
});

after(async () => {
	for (const browser of browsers.values()) await browser.close();
	await notes?.stop();
	await accounts?.stop();
	// The gateway last: what was wrong on its wire fails the test here.
	await moorage?.stop().finally(() => shell.remove());
});

/** A port of this machine on which nothing listens. */
async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const address = server.address();
	assert.ok(address !== null && typeof address === "object");
	await new Promise((resolve) => server.close(resolve));
	return address.port;
}

async function keyOf(person: Person): Promise<string> {
	return (await readFile(join(shell.folder, `${person}.key`), "utf8")).trim();
}

function browserOf(person: Person): TestBrowser {
	const browser = browsers.get(person);
	assert.ok(browser !== undefined);
	return browser;
}

async function signIn(page: Page, person: Person): Promise<void> {
	await page.getByLabel("Name").fill(`crew/${person}`);
	await page.getByLabel("Password").fill(password);
	await page.getByRole("button", { name: "Sign in" }).click();
}

/** What somebody does in their own browser, from the link to the page that says it is done. */
async function connect(person: Person, address: string): Promise<void> {
	const page = await browserOf(person).open(address);
	const troubles = watchTroubles(page);
	await signIn(page, person);
	await page.getByRole("heading", { name: "Connect notes" }).waitFor();
	await assertAccessible(page, "the page that asks");
	await assertFits(page, "the page that asks");
	await page.getByRole("button", { name: "Connect" }).click();
	await page.getByLabel("Your account").fill(`${person}.notes`);
	await page.getByRole("button", { name: "Allow" }).click();
	await page.getByRole("heading", { name: "notes is connected" }).waitFor();
	// Browsers ask for an icon, too, and there is none.
	const serious = troubles.filter((text) => !text.startsWith("Failed to load resource"));
	assert.deepEqual(serious, []);
	await page.close();
}

/** How often a token was renewed at the service, by the account that it is of. */
function renewalsOf(person: Person): number {
	return accounts.stdout.split(`refresh_token for ${person}.notes\n`).length - 1;
}

test("people and their keys are added", options, async () => {
	await shell.type("umask 077").done();
	for (const person of ["ana", "bob"]) {
		await shell.type(`moorage user add crew/${person}`, { input: `${password}\n` }).done();
		const key = `moorage key add ${person}-laptop --tenant crew --user ${person}`;
		await shell.type(`${key} > ${person}.key`).done();
	}
});

test("the server waits for people, and wants no account of the gateway's", options, async () => {
	const [server] = moorage.report.servers;
	assert.equal(server?.state, "stopped");
	assert.match(await shell.run("moorage ls").done(), /notes +waiting[^]*first person/);
	assert.doesNotMatch(moorage.errors.join("\n"), /needs your authorization/);
});

test(
	"a call sends Ana to the page, and goes on once she has connected her account",
	options,
	async () => {
		const calling = shell.type("MOORAGE_KEY=$(cat ana.key) node client.mjs list_notes");
		const [, address = ""] = await calling.said(/Open (\S+)\n/);
		assert.ok(address.startsWith(`${moorage.report.url}/oauth/connect/notes?for=`), address);
		await connect("ana", address);
		assert.equal(await calling.done(), "This is the notebook of ana.notes.\n");
	},
);

test(
	"Bob cannot follow Ana's link, and connects his own account with one of his",
	options,
	async () => {
		const ana = "MOORAGE_KEY=$(cat ana.key) moorage grant connect notes";
		const hers = (await shell.run(ana).done()).trim();
		const page = await browserOf("bob").open(hers);
		await signIn(page, "bob");
		await page.getByText("This link was made for somebody else").waitFor();
		await page.context().clearCookies();
		await page.close();
		const printed = await shell
			.type("MOORAGE_KEY=$(cat bob.key) moorage grant connect notes")
			.done();
		await connect("bob", printed.trim());
	},
);

test("each gets their own notes through the same server", options, async () => {
	const add = `MOORAGE_KEY=$(cat ana.key) node client.mjs add_note '{"text":"Buy rope."}'`;
	assert.equal(await shell.type(add).done(), "2 notes\n");
	const list = (person: Person) =>
		shell.type(`MOORAGE_KEY=$(cat ${person}.key) node client.mjs list_notes`).done();
	assert.equal(await list("ana"), "This is the notebook of ana.notes.\nBuy rope.\n");
	assert.equal(await list("bob"), "This is the notebook of bob.notes.\n");
});

test(
	"tokens end and are renewed all the time, and no call fails or sees another's notes",
	options,
	async (t) => {
		const before_it = { ana: renewalsOf("ana"), bob: renewalsOf("bob") };
		const soak = async (person: Person, first_line: string) => {
			const open = person === "ana" ? connectV1 : connectV2Modern;
			const headers = { authorization: `Bearer ${await keyOf(person)}` };
			const client = await open(moorage.address("notes"), {}, headers);
			let calls = 0;
			while (renewalsOf(person) - before_it[person] < renewals_wanted) {
				const result = await client.callTool({ name: "list_notes", arguments: {} });
				const [said] = result.content as { text: string }[];
				assert.equal(said?.text.split("\n")[0], first_line, `call ${calls} of ${person}`);
				assert.notEqual(result.isError, true);
				calls += 1;
			}
			await client.close();
			return calls;
		};
		const [ana, bob] = await Promise.all([
			soak("ana", "This is the notebook of ana.notes."),
			soak("bob", "This is the notebook of bob.notes."),
		]);
		t.diagnostic(`${ana} and ${bob} calls over ${renewals_wanted} renewals each`);
		const authorizations = accounts.stdout.match(/authorization_code for (ana|bob)\.notes/g);
		assert.equal(authorizations?.length, 2, "each was asked once");
	},
);

test("each lists their own, and ends it at the service as well", options, async () => {
	const mine = await shell.type("MOORAGE_KEY=$(cat ana.key) moorage grant ls --mine").done();
	assert.match(mine, /notes +you +\d{4}-/);
	assert.match(await shell.type("moorage grant ls").done(), /crew\/ana[^]*crew\/bob/);
	assert.doesNotMatch(accounts.stdout, /revoked/);
	const end = shell.type("MOORAGE_KEY=$(cat ana.key) moorage grant revoke notes --mine");
	assert.match(await end.done(), /Ended: crew\/ana at notes/);
	assert.equal(end.stderr, "");
	await eventually(
		() => accounts.stdout,
		(said) => said.includes("revoked"),
	);
	const asked_again = shell.run("MOORAGE_KEY=$(cat ana.key) node client.mjs list_notes");
	await asked_again.said(/Open \S+\n/);
	await asked_again.stop();
	const bob = shell.run("MOORAGE_KEY=$(cat bob.key) node client.mjs list_notes");
	assert.equal(await bob.done(), "This is the notebook of bob.notes.\n");
});

test("on the gateway's page Bob sees what he has connected, and ends it", options, async () => {
	const page = await browserOf("bob").open(`${moorage.report.url}/oauth/connect`);
	await page.getByRole("heading", { name: "Your connections" }).waitFor();
	await assertAccessible(page, "the list of connections");
	await assertFits(page, "the list of connections");
	await page.getByRole("button", { name: "End the connection of notes" }).click();
	await page.getByText("notes is not connected any more").waitFor();
	await page.getByRole("link", { name: "Connect notes" }).click();
	await page.getByRole("heading", { name: "Connect notes" }).waitFor();
});

test("nothing in the README is left that was not typed here", options, () => {
	assert.deepEqual(shell.untyped(), []);
});
