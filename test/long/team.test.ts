import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Command, ExampleShell, type Typing } from "../support/example-shell.ts";
import { Browser, logInAndConsent, password } from "../support/login-scene.ts";
import { type MoorageProcess, startMoorage } from "../support/moorage-process.ts";
import { eventually } from "../support/processes.ts";

let shell: ExampleShell;
let moorage: MoorageProcess;
const type = (line: string, typing?: Typing) => shell.type(line, typing);

before(async () => {
	shell = await ExampleShell.copy("team");
	moorage = await startMoorage(join(shell.folder, "moorage.yaml"), join(shell.folder, ".moorage"));
	shell.note("moorage up moorage.yaml");
	shell.environment["MOORAGE_URL"] = moorage.report.url;
});

after(async () => {
	await moorage?.stop().finally(() => shell.remove());
});

interface Waiting {
	readonly approvals: { id: string; votes: { approver: string; verdict: string }[] }[];
}

async function approvalsOf(command: string): Promise<Waiting> {
	return JSON.parse(await shell.run(command).done()) as Waiting;
}

/** The id of the call that waits. */
async function waiting(): Promise<string> {
	const { approvals } = await eventually(
		() => approvalsOf("moorage approvals --json"),
		(found) => found.approvals.length > 0,
	);
	assert.equal(approvals.length, 1);
	return approvals[0]?.id ?? "";
}

const pay = `MOORAGE_KEY=$(cat ana.token) node client.mjs books__pay '{"to":"sailmaker","amount":400}'`;
/** What became of a payment. On a busy machine deciding takes longer than a call waits. */
async function outcomeOf(paying: Command): Promise<string> {
	const printed = await paying.ended();
	return printed.includes("waits for a person's approval") ? type(pay).ended() : printed;
}

const ana_tools = "MOORAGE_KEY=$(cat ana.token) node client.mjs tools";
const as_bob = "MOORAGE_KEY=$(cat bob.key)";

test("people, keys and the client are added with passwords from standard input", async () => {
	await type("umask 077").done();
	const input = `${password}\n`;
	const add_ana = type("moorage user add crew/ana --role approver", { input });
	assert.equal(await add_ana.done(), "Added crew/ana.\n");
	await type("moorage user add office/bob --role admin", { input }).done();
	await type("moorage key add ana-laptop --tenant crew --user ana > ana.key").done();
	await type("moorage key add bob-laptop --tenant office --user bob > bob.key").done();
	await type("moorage client add team --redirect http://127.0.0.1/callback").done();
});

test("Ana logs in on the gateway's own pages and gets a token", async () => {
	const login = type("node client.mjs login > ana.token");
	const [, page = ""] = await login.said(/Open (\S+)\n/);
	const back = await logInAndConsent(new Browser(moorage.report.url), page, "ana");
	assert.equal((await fetch(back)).status, 200);
	await login.done();
	assert.match(await readFile(join(shell.folder, "ana.token"), "utf8"), /^\S+\.\S+\.\S+\n$/);
});

test("two people see different tools on one address, and call no others", async () => {
	const of_ana = await type(ana_tools).done();
	const of_bob = await type(`${as_bob} node client.mjs tools`).done();
	assert.equal(of_ana, "books__balance\nbooks__count\nbooks__pay\n");
	assert.equal(of_bob, "books__balance\nbooks__close_year\nbooks__count\n");
	const refused = type("MOORAGE_KEY=$(cat ana.token) node client.mjs books__close_year");
	assert.match(await refused.done(1), /office-closes/);
});

test("a large payment waits for somebody else than its caller, and is made once", async () => {
	const paying = type(pay);
	const id = await waiting();
	assert.match(await type("moorage approvals").done(), /crew\/ana +books: pay/);
	const by_herself = type("MOORAGE_KEY=$(cat ana.key) moorage approve ID", { id });
	await by_herself.done(1);
	assert.match(by_herself.stderr, /Somebody else than the caller has to decide/);
	await type(`${as_bob} moorage approve ID`, { id }).done();
	assert.equal(await outcomeOf(paying), "paid 400 to sailmaker, 600 left\n");
	const again = type(pay);
	const next = await waiting();
	assert.notEqual(next, id);
	await type(`${as_bob} moorage deny ID --reason "Once is enough."`, { id: next }).done();
	assert.match(await outcomeOf(again), /Once is enough/);
	const { approvals } = await approvalsOf("moorage approvals --all --json");
	const votes = approvals.map(({ votes: [vote] }) => `${vote?.approver} ${vote?.verdict}`);
	assert.deepEqual(votes.toSorted(), ["office/bob approve", "office/bob deny"]);
	assert.match(await type("moorage approvals --all").done(), /done +crew\/ana/);
	const log = await shell.run("moorage logs books").done();
	assert.equal(log.match(/Paid 400 to sailmaker/g)?.length, 1);
});

test("a kill switch ends a call that runs, and its server is told", async () => {
	const counting = type("MOORAGE_KEY=$(cat ana.token) node client.mjs books__count");
	await counting.said(/page 2/);
	await type('moorage kill tool books__count --reason "It counts the wrong year."').done();
	assert.match(await counting.done(1), /switched off.*It counts the wrong year/s);
	assert.match(await type("moorage kills").done(), /books__count/);
	assert.equal(await type(ana_tools).done(), "books__balance\nbooks__pay\n");
	const log = () => shell.run("moorage logs books").done();
	await eventually(log, (lines) => lines.includes("A count was cancelled."));
	await type("moorage unkill tool books__count").done();
	assert.match(await type(ana_tools).done(), /books__count/);
});

test("the history says who did what", async () => {
	const table = await type("moorage calls").done();
	assert.match(table, /crew\/ana +books count +\S+ \(switched_off\)/);
	assert.match(table, /office\/bob +tools\/list +ok/);
	const asked = await type("moorage calls --user crew/ana --decision ask").done();
	assert.match(asked, /crew\/ana +books pay +ok/);
	assert.match(asked, /crew\/ana +books pay +\S+ \(approval_denied\)/);
	assert.doesNotMatch(asked, /office\/bob/);
});

test("nothing in the README is left that was not typed here", () => {
	assert.deepEqual(shell.untyped(), []);
});
