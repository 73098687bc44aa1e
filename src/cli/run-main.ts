import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import { product } from "../daemon/product.ts";
import { systemClock } from "../lib/clock.ts";
import { processEnvironment } from "../lib/environment.ts";
import { systemRandom } from "../lib/random.ts";
import { all_commands } from "./all-commands.ts";
import type { CommandContext } from "./context.ts";
import { exit_codes } from "./exit-codes.ts";
import { Output } from "./output.ts";
import { runCommandLine } from "./run.ts";
import { selfCommand } from "./self-command.ts";

/**
 * The program: everything a command knows of the world is gathered here and handed on.
 * Importing this file runs it.
 */
const environment = processEnvironment();
const { stdin, stdout, stderr } = process;

const context: CommandContext = {
	environment,
	clock: systemClock,
	random: systemRandom,
	cwd: process.cwd(),
	home: homedir(),
	platform: process.platform,
	stdin,
	stdout,
	stderr,
	output: new Output({ stdout, stderr, environment }),
	version: product.version,
	self: selfCommand(process.execPath, realpathSync(process.argv[1] as string)),
	onSignal(signal, listener) {
		process.on(signal, listener);
		return () => process.removeListener(signal, listener);
	},
	exitNow: (code) => process.exit(code),
};

// A reader that has seen enough (`moorage logs | head`) is no mistake.
stdout.on("error", (error: NodeJS.ErrnoException) => {
	process.exit(error.code === "EPIPE" ? exit_codes.ok : exit_codes.failed);
});

process.exitCode = await runCommandLine(all_commands, process.argv.slice(2), context);
// What a command leaves behind (an idle connection, an open stdin) must not keep it alive, and
// what it has written must arrive: the callback comes after everything written before.
stdout.write("", () => process.exit());
