import { isatty } from "node:tty";
import { type Logger, pino } from "pino";
import type { Clock } from "../lib/clock.ts";
import type { Fault, FaultLevel } from "../protocol/fault.ts";
import type { Redactor } from "../secrets/redactor.ts";
import { formatPretty } from "./log-pretty.ts";
import { redactFields, redactText } from "./log-redact.ts";
import { LogSink } from "./log-sink.ts";

/**
 * What the house writes its log through. Fields are data for machines, the message is a
 * sentence for people. Members that look like secrets are masked whatever their value.
 */
export interface Log {
	debug(fields: object, message: string): void;
	info(fields: object, message: string): void;
	warn(fields: object, message: string): void;
	error(fields: object, message: string): void;
	/** A log whose every line has these fields too. */
	child(fields: object): Log;
	/** Resolves when every line so far has been written, or its reader is too slow. */
	flush(): Promise<void>;
}

/** The log of a whole process, which its owner closes. */
export interface RootLog extends Log {
	/** Writes what waits before it returns: for the moment before a crash ends the process. */
	flushNow(): void;
	/** Writes what waits and closes the file. */
	close(): Promise<void>;
}

/** Least level that is written; `silent` writes nothing. */
export type LogLevel = FaultLevel | "silent";

/** Where a log goes and how it looks. */
export interface LogOptions {
	readonly clock: Clock;
	readonly level: LogLevel;
	/** Takes secrets out of every line. */
	readonly redactor: Redactor;
	/** Absolute path of a file to append to, made with mode 0600; stderr unless given. */
	readonly file?: string | undefined;
	/** `auto`: pretty when it goes to a terminal, else one JSON object a line. */
	readonly format?: "auto" | "json" | "pretty" | undefined;
	/** False to leave colours out of the pretty format; on a terminal they are on by default. */
	readonly color?: boolean | undefined;
}

const stderr_fd = 2;

/** Opens the log. Throws when the file cannot be opened for appending. */
export function openLog(options: LogOptions): RootLog {
	const { clock, level, redactor, format = "auto" } = options;
	const sink = new LogSink({ clock, target: options.file ?? stderr_fd });
	const terminal = options.file === undefined && isatty(stderr_fd);
	const pretty = format === "pretty" || (format === "auto" && terminal);
	const color = options.color ?? terminal;
	const write = (line: string) => {
		const safe = safeLine(redactor, line);
		sink.write(pretty ? formatPretty(safe, { color }) : safe);
	};
	const logger = pino(
		{
			level,
			base: null,
			messageKey: "message",
			timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
			formatters: { level: (label) => ({ level: label }) },
		},
		{ write },
	);
	const log = new PinoLog(logger, sink, redactor);
	sink.onDropped = (lines) => log.warn({ lines }, "log lines were dropped: the reader is too slow");
	return log;
}

/** Writes a fault at its level, with the id its receiver was told. */
export function logFault(log: Log, fault: Fault, fields: object = {}): void {
	const { code, id, server, retry_safe, detail } = fault;
	log[fault.level]({ ...fields, code, error_id: id, server, retry_safe, detail }, fault.message);
}

/** A whole line, with all that its parts did not show alone, such as names of members. */
function safeLine(redactor: Redactor, line: string): string {
	const safe = redactor.text(line);
	if (safe === line) return line;
	try {
		JSON.parse(safe);
		return safe;
	} catch {
		// A secret stood where JSON has no room for the marker.
		return `${JSON.stringify(redactor.json(JSON.parse(line)))}\n`;
	}
}

class PinoLog implements RootLog {
	readonly #logger: Logger;
	readonly #sink: LogSink;
	readonly #redactor: Redactor;
	/** Fields of every line, already safe to write. */
	readonly #fields: object;

	constructor(logger: Logger, sink: LogSink, redactor: Redactor, fields: object = {}) {
		this.#logger = logger;
		this.#sink = sink;
		this.#redactor = redactor;
		this.#fields = fields;
	}

	debug(fields: object, message: string): void {
		this.#write("debug", fields, message);
	}

	info(fields: object, message: string): void {
		this.#write("info", fields, message);
	}

	warn(fields: object, message: string): void {
		this.#write("warn", fields, message);
	}

	error(fields: object, message: string): void {
		this.#write("error", fields, message);
	}

	child(fields: object): Log {
		const all = { ...this.#fields, ...redactFields(this.#redactor, fields) };
		return new PinoLog(this.#logger, this.#sink, this.#redactor, all);
	}

	flush(): Promise<void> {
		return this.#sink.flush();
	}

	flushNow(): void {
		this.#sink.flushNow();
	}

	close(): Promise<void> {
		return this.#sink.close();
	}

	#write(level: FaultLevel, fields: object, message: string): void {
		if (!this.#logger.isLevelEnabled(level)) return;
		const all = { ...this.#fields, ...redactFields(this.#redactor, fields) };
		this.#logger[level](all, redactText(this.#redactor, message));
	}
}
