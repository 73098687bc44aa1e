/** A collector of OTLP that takes everything and looks at nothing. Prints its port. */
import { createServer } from "node:http";

const server = createServer((request, response) => {
	request.resume();
	request.on("end", () => {
		response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
	});
});
server.listen(0, "127.0.0.1", () => {
	process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`);
});
process.stdin.on("end", () => process.exit(0));
process.stdin.resume();
