// A collector of OpenTelemetry in a process of its own: takes OTLP over HTTP, decodes it with the
// official protocol's generated code, and writes each request as a line of JSON. `--refuse N`
// answers the first N requests with 503; `--reject` says that it rejected one item of each;
// `--hang` takes requests and never answers; `--endless` answers without an end.
import { createServer } from "node:http";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const root = require("@opentelemetry/otlp-transformer/build/src/generated/root");
const { trace, metrics } = root.opentelemetry.proto.collector;
const kinds = {
	"/v1/traces": ["traces", trace.v1.ExportTraceServiceRequest, trace.v1.ExportTraceServiceResponse],
	"/v1/metrics": [
		"metrics",
		metrics.v1.ExportMetricsServiceRequest,
		metrics.v1.ExportMetricsServiceResponse,
	],
};
const option = (name) => {
	const at = process.argv.indexOf(name);
	return at < 0 ? undefined : (process.argv[at + 1] ?? "");
};
let refusals = Number(option("--refuse") ?? 0);
const rejects = process.argv.includes("--reject");
const hangs = process.argv.includes("--hang");
const is_endless = process.argv.includes("--endless");

const server = createServer((request, response) => {
	const chunks = [];
	request.on("data", (chunk) => chunks.push(chunk));
	request.on("end", () => {
		if (hangs) return;
		if (is_endless) {
			response.writeHead(200, { "content-type": "application/x-protobuf" });
			const writing = setInterval(() => response.write(Buffer.alloc(16_384)), 1);
			response.on("close", () => clearInterval(writing));
			return;
		}
		if (refusals > 0) {
			refusals -= 1;
			response.writeHead(503).end();
			return;
		}
		const [kind, Request, Response] = kinds[request.url] ?? [];
		if (kind === undefined || request.headers["content-type"] !== "application/x-protobuf") {
			response.writeHead(415).end();
			return;
		}
		try {
			const decoded = Request.decode(Buffer.concat(chunks));
			const body = Request.toObject(decoded, { longs: String, bytes: "hex", defaults: false });
			const hex = (_, value) =>
				value?.type === "Buffer" ? Buffer.from(value.data).toString("hex") : value;
			const auth = request.headers.authorization;
			process.stdout.write(`${JSON.stringify({ kind, auth, body }, hex)}\n`);
		} catch (error) {
			process.stdout.write(`${JSON.stringify({ kind: "undecodable", error: String(error) })}\n`);
			response.writeHead(400).end();
			return;
		}
		const partial = rejects ? { partialSuccess: { rejectedSpans: 1, errorMessage: "one" } } : {};
		const reply = Response.encode(Response.fromObject(partial)).finish();
		response.writeHead(200, { "content-type": "application/x-protobuf" }).end(reply);
	});
});
server.listen(Number(option("--port") ?? 0), "127.0.0.1", () => {
	process.stdout.write(`${JSON.stringify({ kind: "listening", port: server.address().port })}\n`);
});
