/** Listens on a free loopback port, prints the address, and ends with its parent. */
export function listenFree(server) {
	server.listen(0, "127.0.0.1", () => {
		const url = `http://127.0.0.1:${server.address().port}/mcp`;
		process.stdout.write(`${JSON.stringify({ url })}\n`);
	});
	process.stdin.on("end", () => process.exit(0));
	process.stdin.resume();
}
