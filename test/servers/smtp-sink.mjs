// A mail server in a process of its own: writes every mail it takes as a line of JSON.
// `--auth` takes only who logs in as `ana` with `s3cret`; `--refuse N` refuses the first N mails.
import { SMTPServer } from "smtp-server";

const at = process.argv.indexOf("--refuse");
let refusals = at < 0 ? 0 : Number(process.argv[at + 1]);
const auth = process.argv.includes("--auth");
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const server = new SMTPServer({
	authOptional: !auth,
	allowInsecureAuth: true,
	disabledCommands: auth ? ["STARTTLS"] : ["STARTTLS", "AUTH"],
	onAuth({ username, password }, _session, done) {
		const known = username === "ana" && password === "s3cret";
		done(known ? null : new Error("unknown"), known ? { user: username } : undefined);
	},
	onData(stream, { envelope, user }, done) {
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
			say({ kind: "mail", user, from, to, text: Buffer.concat(chunks).toString() });
			done();
		});
	},
});
server.listen(0, "127.0.0.1", () => say({ kind: "listening", port: server.server.address().port }));
