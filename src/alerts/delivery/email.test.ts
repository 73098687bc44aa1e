import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { TestCertificates } from "../../../test/support/certificates.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { type LineProcess, startLineProcess } from "../../../test/support/line-process.ts";
import { MemoryLog } from "../../../test/support/memory-log.ts";
import { tempFolder } from "../../../test/support/temp-folder.ts";
import { openTestStore } from "../../../test/support/test-store.ts";
import type { ChannelPlan } from "../../config/alert-rules.ts";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { Outbox } from "../outbox.ts";
import { sendMail } from "./email.ts";
import type { Notice } from "./notice.ts";

const notice: Notice = {
	id: "a1.firing.1",
	alert_id: "a1",
	news: "firing",
	rule: "unknown_tool",
	subject: "mcp",
	severity: "warning",
	summary: "mcp: Once something was called that is not offered.",
	value: 1,
	threshold: 1,
	since_ms: 0,
	at_ms: 1_000,
	next: "See it with: moorage alerts show a1",
};

interface Mail {
	readonly kind: string;
	readonly to: readonly string[];
	readonly text: string;
	readonly user: string;
	readonly secure: boolean;
}

const people = { from: "moorage@example.com", to: ["ana@example.com", "bob@example.com"] };

async function startSink(t: TestContext, ...args: string[]): Promise<LineProcess> {
	const sink = await startLineProcess("smtp-sink", ...args);
	t.after(() => sink.stop());
	return sink;
}

const isMail = ({ kind }: Mail) => kind === "mail";

/** A certificate of the mail server, and the authority that it is from. */
async function certificate(t: TestContext, names?: readonly string[]) {
	const certificates = new TestCertificates(await tempFolder(t));
	const authority = await certificates.authority("mail-authority");
	const own = await certificates.signed("mail", authority, names);
	return { authority, tls: ["--tls", own.cert_path, own.key_path] };
}

/** Trusts an authority until the test is over. */
function trust(t: TestContext, authority: string): void {
	const before = getCACertificates("default");
	setDefaultCACertificates([...before, authority]);
	t.after(() => setDefaultCACertificates(before));
}

test("a mail is sent to everybody, after a login where the server wants one", async (t) => {
	const sink = await startSink(t, "--auth");
	const send = (login: string) =>
		sendMail(
			{ ...people, server: `smtp://${login}@127.0.0.1:${sink.port}` },
			[notice],
			systemClock,
		);
	assert.equal((await send("ana:s3cret")).problem, undefined);
	assert.equal((await send("ana:wrong")).problem, "the mail server refused the login (535)");
	const { to, text, user } = await sink.find(isMail);
	assert.deepEqual([to, user], [people.to, "ana"]);
	assert.match(text, /^Subject: \[FIRING\] warning unknown_tool mcp\r$/m);
	assert.match(text, /^Message-ID: <a1\.firing\.1@moorage>\r$/m);
});

test("STARTTLS is taken where it is offered, and `smtps` is TLS from the start", async (t) => {
	const { authority, tls } = await certificate(t);
	trust(t, authority.cert);
	for (const [scheme, ...more] of [["smtp"], ["smtps", "--smtps"]] as const) {
		const sink = await startSink(t, "--auth", ...tls, ...more);
		const server = `${scheme}://ana:s3cret@127.0.0.1:${sink.port}`;
		assert.equal((await sendMail({ ...people, server }, [notice], systemClock)).problem, undefined);
		assert.equal((await sink.find(isMail)).secure, true);
	}
});

test("a server whose certificate is of somebody else, or of another name, gets no mail", async (t) => {
	const unknown = await certificate(t);
	const other = await certificate(t, ["DNS:mail.example.com"]);
	trust(t, other.authority.cert);
	for (const { tls } of [unknown, other]) {
		for (const [scheme, ...more] of [["smtp"], ["smtps", "--smtps"]] as const) {
			const sink = await startSink(t, ...tls, ...more);
			const server = `${scheme}://127.0.0.1:${sink.port}`;
			const told = await sendMail({ ...people, server }, [notice], systemClock);
			assert.equal(told.problem, "the certificate of the mail server is not trusted here");
			assert.equal(
				sink.lines.some((line) => line["kind"] === "mail"),
				false,
			);
		}
	}
});

test("a password is not sent to another machine without TLS", async (t) => {
	const sink = await startSink(t, "--auth");
	// The same server by an address that does not say that it is this machine's.
	const server = `smtp://ana:s3cret@0.0.0.0:${sink.port}`;
	const { problem } = await sendMail({ ...people, server }, [notice], systemClock);
	assert.match(problem ?? "", /^the mail server has no TLS that works, and a login needs it/);
	assert.equal(
		sink.lines.some((line) => line["kind"] === "mail"),
		false,
	);
});

test("a server that says nothing is given up after a while", async (t) => {
	const sink = await startSink(t, "--silent");
	const clock: Clock = { ...systemClock, afterIdle: (_, fn) => systemClock.after(1, fn) };
	const server = `smtp://127.0.0.1:${sink.port}`;
	assert.deepEqual(await sendMail({ ...people, server }, [notice], clock), {
		problem: "the mail server did not answer in time",
		left: people.to,
	});
});

test("a server that is not there is told without its address", async () => {
	const plan = { ...people, server: "smtp://ana:s3cret@127.0.0.1:1" };
	const { problem } = await sendMail(plan, [notice], systemClock);
	assert.equal(problem, "the mail server could not be reached (ECONNREFUSED)");
});

test("what callers wrote makes no header and no receiver of a mail", async (t) => {
	const sink = await startSink(t);
	const server = `smtp://127.0.0.1:${sink.port}`;
	const evil = "x\r\nBcc: all@example.com\r\n\r\n.\r\nRCPT TO:<all@example.com>";
	const told = { ...notice, id: `a\r\nX-Evil: 1`, subject: evil, summary: evil, next: evil };
	assert.equal((await sendMail({ ...people, server }, [told], systemClock)).problem, undefined);
	const { to, text } = await sink.find(isMail);
	assert.deepEqual(to, people.to);
	const headers = text.slice(0, text.indexOf("\r\n\r\n"));
	assert.doesNotMatch(headers, /^(Bcc|X-Evil|RCPT)/im);
	assert.equal(sink.lines.filter(({ kind }) => kind === "mail").length, 1);
});

async function openOutbox(t: TestContext, sink: LineProcess) {
	const server = `smtp://127.0.0.1:${sink.port}`;
	const channel: ChannelPlan = { kind: "email", id: "email:1", server, ...people };
	const clock = new FakeClock();
	const store = await openTestStore(clock);
	t.after(() => store.database.close());
	const { alerts: repository } = store.repositories;
	const make = () =>
		new Outbox({
			clock: { ...systemClock, now: () => clock.now() },
			log: new MemoryLog(),
			repository,
			channels: () => [channel],
			onTried: () => undefined,
		});
	/** Puts alerts down, as the engine does. */
	const fire = async (...ids: string[]) => {
		for (const id of ids) {
			const one = { ...notice, id: `${id}.firing.1`, alert_id: id, subject: id };
			const deliveries = make().deliveriesOf({ ...one, at_ms: clock.now() });
			for (const delivery of deliveries) await repository.enqueue(delivery);
		}
	};
	return { clock, repository, make, fire };
}

const mailsIn = ({ lines }: LineProcess) => (lines as unknown as Mail[]).filter(isMail);

test("alerts that are due together are one mail, also when it is tried again after a restart", async (t) => {
	const sink = await startSink(t, "--refuse", "1");
	const { clock, repository, make, fire } = await openOutbox(t, sink);
	await fire("a1", "a2", "a3");
	await make().pump();
	assert.equal((await repository.deliveries("a2"))[0]?.problem, "the mail server refused it (451)");
	await clock.advance(5_000);
	// Fired once more by a gateway that did not know that it had said so.
	await fire("a1", "a2", "a3");
	for (let runs = 0; runs < 3; runs += 1) await make().pump();
	await sink.find(isMail);
	const [mail, ...more] = mailsIn(sink);
	assert.deepEqual(more, []);
	assert.match(mail?.text ?? "", /^Subject: \[FIRING\] warning unknown_tool a1 and 2 more\r$/m);
	for (const id of ["a1", "a2", "a3"]) {
		assert.match(mail?.text ?? "", new RegExp(`Alert ${id}\\.`));
		assert.equal((await repository.deliveries(id))[0]?.state, "delivered");
	}
});

test("of several people only those are tried again whom the server refused", async (t) => {
	const sink = await startSink(t, "--without", "bob@example.com");
	const { clock, repository, make, fire } = await openOutbox(t, sink);
	await fire("a1");
	await make().pump();
	const [waiting] = await repository.deliveries("a1");
	assert.deepEqual(
		[waiting?.state, waiting?.problem],
		["waiting", "the mail server refused 1 of 2 receivers (450)"],
	);
	await clock.advance(5_000);
	await make().pump();
	assert.equal((await repository.deliveries("a1"))[0]?.state, "delivered");
	await sink.find<Mail>((mail) => isMail(mail) && mail.to.includes("bob@example.com"));
	assert.deepEqual(
		mailsIn(sink).map(({ to }) => to),
		[["ana@example.com"], ["bob@example.com"]],
	);
});
