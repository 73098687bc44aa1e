// A receiver of webhooks in a process of its own: writes every request as a line of JSON.
// `--refuse N` answers the first N with 500; `--hang` never answers.
import { createServer } from "node:http";

const at = process.argv.indexOf("--refuse");
let refusals = at < 0 ? 0 : Number(process.argv[at + 1]);
const hangs = process.argv.includes("--hang");
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const server = createServer((request, response) => {
	const chunks = [];
	request.on("data", (chunk) => chunks.push(chunk));
	request.on("end", () => {
		const refused = refusals > 0;
		if (refused) refusals -= 1;
		const { url: path, headers } = request;
		say({ kind: "hook", path, refused, headers, body: Buffer.concat(chunks).toString() });
		if (!hangs) response.writeHead(refused ? 500 : 204).end();
	});
});
server.listen(0, "127.0.0.1", () => say({ kind: "listening", port: server.address().port }));
