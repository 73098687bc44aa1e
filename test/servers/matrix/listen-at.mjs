/**
 * Listens on the loopback port that `--port` names, or on a free one, and prints the address.
 * Ends with its parent.
 */
export function listenAt(server) {
	const at = process.argv.indexOf("--port");
	const port = at < 0 ? 0 : Number(process.argv[at + 1]);
	server.listen(port, "127.0.0.1", () => {
		const url = `http://127.0.0.1:${server.address().port}/mcp`;
		process.stdout.write(`${JSON.stringify({ url })}\n`);
	});
	process.stdin.on("end", () => process.exit(0));
	process.stdin.resume();
}
