/** Listens on a free loopback port, prints it, and ends with its parent. */
export function listenFree(server) {
	server.listen(0, "127.0.0.1", () => {
		process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`);
	});
	process.stdin.on("end", () => process.exit(0));
	process.stdin.resume();
}
