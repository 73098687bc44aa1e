/** An issuer of access tokens with one key. Prints its port, and a token good for an hour. */
import { createServer } from "node:http";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

const { privateKey, publicKey } = await generateKeyPair("ES256");
const jwk = { ...(await exportJWK(publicKey)), kid: "bench", alg: "ES256", use: "sig" };
const server = createServer((request, response) => {
	const issuer = `http://127.0.0.1:${server.address().port}`;
	const documents = {
		"/.well-known/oauth-authorization-server": { issuer, jwks_uri: `${issuer}/jwks` },
		"/jwks": { keys: [jwk] },
	};
	const found = documents[request.url];
	response.writeHead(found === undefined ? 404 : 200, { "content-type": "application/json" });
	response.end(JSON.stringify(found ?? {}));
});
server.listen(0, "127.0.0.1", async () => {
	const { port } = server.address();
	const token = await new SignJWT({
		groups: ["staff", "metrics"],
		client_id: "bench",
		scope: "metrics",
	})
		.setProtectedHeader({ alg: "ES256", kid: "bench", typ: "at+jwt" })
		.setIssuer(`http://127.0.0.1:${port}`)
		.setAudience("bench")
		.setSubject("bench")
		.setIssuedAt()
		.setExpirationTime("1h")
		.setJti("bench")
		.sign(privateKey);
	process.stdout.write(`${JSON.stringify({ port, token })}\n`);
});
process.stdin.on("end", () => process.exit(0));
process.stdin.resume();
