import { relative } from "node:path";
import type { Overview } from "../../admin/contract.ts";
import { loadPlan } from "../../config/load.ts";
import { formatProblem } from "../../config/problem.ts";
import type { Daemon, ProgressEvent } from "../../daemon/options.ts";
import { tellEvicted } from "../../daemon/tell-evicted.ts";
import { counted } from "../../lib/counted.ts";
import { SecretRedactor } from "../../secrets/redactor.ts";
import { type LogLevel, openLog, type RootLog } from "../../telemetry/log.ts";
import { inputAsker } from "../ask-input.ts";
import { defineCommand } from "../command.ts";
import { connectLines } from "../connect/lines.ts";
import type { CommandContext } from "../context.ts";
import { dataFolder } from "../data-folder.ts";
import { exit_codes } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { handedSocket } from "../handed-socket.ts";
import { duration, type Output, printable } from "../output.ts";
import { withProgress } from "../progress.ts";
import { typedCommand } from "../self-command.ts";
import { isUsable, printSandboxNotes, printServers } from "../server-table.ts";
import { startFailure } from "../start-failure.ts";
import { changeLines } from "./reload.ts";

const log_levels: readonly LogLevel[] = ["debug", "info", "warn", "error", "silent"];
/** Installing packages takes its time; after this the table shows what still starts. */
const settle_ms = 5 * 60_000;
/** From the last server's first outcome to the table: what it offers is being read. */
const reading_ms = 200;

/** `moorage up` */
export const up_command = defineCommand({
	name: "up",
	summary: "host everything in mcp.json or moorage.yaml",
	description:
		"Hosts every server of a configuration: the mcp.json of Claude, Cursor or VS Code as it is, " +
		"or a moorage.yaml. Without a path, the one of this folder is found. Changes to the file are " +
		"applied while it runs; Ctrl-C stops it.",
	args: {
		config: { description: "configuration file, or the folder it is in", kind: "optional" },
	},
	options: {
		listen: {
			flags: "--listen <host:port>",
			description: "address to listen on (default: 127.0.0.1:8642)",
			kind: "value",
		},
		quiet: { flags: "-q, --quiet", description: "print nothing but mistakes", kind: "switch" },
		log_level: {
			flags: "--log-level <level>",
			description: `how much to log: ${log_levels.join(", ")} (default: warn)`,
			kind: "value",
		},
	},
	examples: [
		{ line: "moorage up", meaning: "the configuration of this folder" },
		{ line: "moorage up ~/.cursor/mcp.json", meaning: "what Cursor uses, for every client" },
		{ line: "moorage up --listen 127.0.0.1:9000", meaning: "on another port" },
	],
	async run({ args, options }, context) {
		const level = readLevel(options.log_level);
		const redactor = new SecretRedactor((...evicted) => tell(...evicted));
		const log = openLog({ clock: context.clock, level, redactor });
		const tell = tellEvicted(log);
		const run = new UpRun(args.config, options, { log, redactor }, context);
		try {
			return await run.run();
		} finally {
			await log.close();
		}
	},
});

interface UpOptions {
	readonly listen: string | undefined;
	readonly data: string | undefined;
	readonly quiet: boolean;
	readonly json: boolean;
}

/** One gateway from its start to its end, as its user sees it. */
class UpRun {
	readonly #config: string | undefined;
	readonly #options: UpOptions;
	readonly #log: RootLog;
	readonly #redactor: SecretRedactor;
	readonly #context: CommandContext;
	readonly #started_ms: number;
	#daemon: Daemon | undefined;
	#shown = false;
	#stopping = false;
	#onState: () => void = () => undefined;

	constructor(
		config: string | undefined,
		options: UpOptions,
		{ log, redactor }: { log: RootLog; redactor: SecretRedactor },
		context: CommandContext,
	) {
		this.#config = config;
		this.#options = options;
		this.#log = log;
		this.#redactor = redactor;
		this.#context = context;
		this.#started_ms = context.clock.monotonic();
	}

	async run(): Promise<number> {
		const { environment, clock, random } = this.#context;
		const forget = [
			this.#context.onSignal("SIGINT", () => this.#stop()),
			this.#context.onSignal("SIGTERM", () => this.#stop()),
			this.#context.onSignal("SIGHUP", () => void this.#daemon?.reload()),
		];
		try {
			// The whole house is loaded only where it is needed: other commands start faster.
			const { startDaemon } = await import("../../daemon/daemon.ts");
			const started = await startDaemon({
				load: this.#loader(),
				clientLines: (url, name) => this.#lines(url, name),
				environment,
				clock,
				random,
				log: this.#log,
				redactor: this.#redactor,
				listen_fd: handedSocket(environment, process.pid),
				onProgress: (event) => this.#onProgress(event),
			});
			if (!started.ok) throw startFailure(started.problem);
			this.#daemon = started.value;
			if (this.#stopping) void started.value.stop();
			else await this.#announce(started.value);
			await started.value.stopped;
			return exit_codes.ok;
		} finally {
			for (const one of forget) one();
		}
	}

	/** Reads the configuration, at the start and at every reload; questions are asked once. */
	#loader() {
		const { cwd, environment, home } = this.#context;
		const { listen, data } = this.#options;
		const ask = inputAsker(this.#context);
		const overrides = {
			...(listen === undefined ? {} : { listen }),
			...(data === undefined ? {} : { data }),
		};
		const path = this.#config;
		const common = { path, cwd, environment, home, overrides };
		return (text?: string) => loadPlan({ ...common, text, ...(ask === undefined ? {} : { ask }) });
	}

	/** How clients are connected, once it is known where the gateway keeps its state. */
	#lines(url: string, endpoint: string) {
		const data = this.#daemon?.plan.data ?? ".moorage";
		return connectLines(this.#context, data)(url, endpoint);
	}

	/** Waits for the servers and shows where everything is. */
	async #announce(daemon: Daemon): Promise<void> {
		for (const warning of daemon.plan.warnings) this.#note(`warning: ${warning}`);
		const settling = Promise.race([this.#settled(daemon), daemon.stopped]);
		await withProgress(this.#context, "Starting the servers", settling);
		if (this.#stopping) return;
		this.#shown = true;
		const overview = daemon.overview();
		const { output } = this.#context;
		if (this.#options.json) {
			const { admin_token_path } = daemon;
			output.json({ ...overview, mcp_url: `${overview.url}/mcp`, admin_token_path });
		} else if (!this.#options.quiet) {
			// Where the call log goes to standard output, whoever collects it gets that and no link.
			const beside = daemon.plan.calls?.log_to_stdout === true;
			const shown = beside ? output.beside : output;
			await this.#show(overview, daemon.dashboardAddress(), shown);
		}
	}

	/**
	 * Resolves when every server is ready or has failed. One that failed once and is tried again
	 * counts as well: a crash loop is no reason to keep people waiting for the others.
	 */
	async #settled(daemon: Daemon): Promise<void> {
		const tried = new Promise<void>((resolve) => {
			this.#onState = () => {
				const reasons = new Map(daemon.overview().servers.map((one) => [one.name, one]));
				const pending = daemon.plan.servers.filter(({ name, start }) => {
					const server = reasons.get(name);
					return start === "eager" && server?.state !== "ready" && server?.reason === undefined;
				});
				if (pending.length === 0) resolve();
			};
			this.#onState();
		});
		await Promise.race([daemon.settled(settle_ms), tried]);
		await daemon.settled(reading_ms);
		this.#onState = () => undefined;
	}

	async #show(overview: Overview, dashboard: string, output: Output): Promise<void> {
		const { clock, self, cwd } = this.#context;
		const ready = overview.servers.filter(isUsable).length;
		const took = duration(clock.monotonic() - this.#started_ms);
		const servers = counted(overview.servers.length, "server");
		output.line(
			`${output.look("bold", "Moorage")} ${overview.version} at ${overview.url}: ` +
				`${ready} of ${servers} ready in ${took}`,
		);
		output.line();
		printServers(overview.servers, output);
		printSandboxNotes(overview.servers, output);
		output.line();
		output.line(`Everything together:  ${output.look("cyan", `${overview.url}/mcp`)}`);
		const data = await this.#dataHint(overview.data);
		output.line(`Connect a client:     ${typedCommand(self, cwd)} connect claude-code${data}`);
		const url = `${overview.url}/mcp`;
		output.line(`or paste:             claude mcp add --transport http moorage ${url}`);
		const hint = dashboard.includes("#") ? " (good once)" : "";
		output.line(`Dashboard:            ${output.look("cyan", dashboard)}${hint}`);
		if (hint === "")
			output.line(`to sign in to it:     ${typedCommand(self, cwd)} dashboard${data}`);
		output.line();
		output.line(output.look("dim", "Ctrl-C stops it."));
	}

	/** `--data` for other commands typed in this folder, where they would not find it. */
	async #dataHint(data: string): Promise<string> {
		if ((await dataFolder(this.#context, undefined)) === data) return "";
		const inside = relative(this.#context.cwd, data);
		const path = inside.startsWith("..") ? data : inside;
		return ` --data ${/\s/.test(path) ? JSON.stringify(path) : path}`;
	}

	#onProgress(event: ProgressEvent): void {
		switch (event.kind) {
			case "install":
				this.#note(`${event.server}: ${printable(event.text)}`);
				break;
			case "state":
				// The overview has the new state when this event is over.
				queueMicrotask(() => this.#onState());
				// Until the table is shown, the table tells it; what fails stands in the log.
				if (this.#shown && !this.#stopping && event.status.state === "ready") {
					this.#note(`${event.status.name}: ready`);
				}
				break;
			case "reloaded":
				for (const line of changeLines(event)) this.#note(`reloaded, ${line}`);
				for (const warning of event.warnings) this.#note(`warning: ${warning}`);
				break;
			case "refused":
				this.#context.output.note("The new configuration was refused; the old one runs on.");
				for (const problem of event.problems) {
					this.#context.output.note(`  ${formatProblem(problem)}`);
				}
		}
	}

	/** The first time gracefully, the second time at once. */
	#stop(): void {
		if (this.#stopping) {
			this.#context.exitNow(exit_codes.interrupted);
			return;
		}
		this.#stopping = true;
		this.#note("Stopping; once more to stop at once.");
		void this.#daemon?.stop();
	}

	#note(text: string): void {
		if (!this.#options.quiet) this.#context.output.note(text);
	}
}

function readLevel(text: string | undefined): LogLevel {
	const level = log_levels.find((one) => one === (text ?? "warn"));
	if (level !== undefined) return level;
	throw usageFailure(`There is no log level "${text}".`, `Use one of: ${log_levels.join(", ")}.`);
}
