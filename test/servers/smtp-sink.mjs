// A mail server in a process of its own: writes every mail it takes as a line of JSON.
// `--auth` takes only who logs in as `ana` with `s3cret`; `--refuse N` refuses the first N mails;
// `--tls CERT KEY` offers STARTTLS, and wants it before a login; `--smtps` is TLS from the start;
// `--without NAME` refuses a receiver the first time; `--silent` says nothing to anybody.
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { SMTPServer } from "smtp-server";

const valueOf = (name, place = 1) => {
	const at = process.argv.indexOf(name);
	return at < 0 ? undefined : process.argv[at + place];
};
let refusals = Number(valueOf("--refuse") ?? 0);
const unwanted = new Set([valueOf("--without")].filter((name) => name !== undefined));
const auth = process.argv.includes("--auth");
const has_tls = process.argv.includes("--tls");
const tls = has_tls
	? { cert: readFileSync(valueOf("--tls", 1)), key: readFileSync(valueOf("--tls", 2)) }
	: {};
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const server = new SMTPServer({
	...tls,
	secure: process.argv.includes("--smtps"),
	authOptional: !auth,
	allowInsecureAuth: !has_tls,
	disabledCommands: [...(has_tls ? [] : ["STARTTLS"]), ...(auth ? [] : ["AUTH"])],
	onAuth({ username, password }, _session, done) {
		const known = username === "ana" && password === "s3cret";
		done(known ? null : new Error("unknown"), known ? { user: username } : undefined);
	},
	onRcptTo({ address }, _session, done) {
		const is_refused = unwanted.delete(address);
		done(is_refused ? Object.assign(new Error("later"), { responseCode: 450 }) : null);
	},
	onData(stream, { envelope, secure, user }, done) {
		const chunks = [];
		stream.on("data", (chunk) => chunks.push(chunk));
		stream.on("end", () => {
			if (refusals > 0) {
				refusals -= 1;
				done(Object.assign(new Error("later"), { responseCode: 451 }));
				return;
			}
			const to = envelope.rcptTo.map(({ address }) => address);
			const from = envelope.mailFrom.address;
			say({ kind: "mail", user, secure, from, to, text: Buffer.concat(chunks).toString() });
			done();
		});
	},
});
// A client that does not trust the certificate ends the connection.
server.on("error", (error) => say({ kind: "error", code: error.code }));
const listener = process.argv.includes("--silent") ? createServer(() => undefined) : server.server;
const listening = () => say({ kind: "listening", port: listener.address().port });
if (listener === server.server) server.listen(0, "127.0.0.1", listening);
else listener.listen(0, "127.0.0.1", listening);
