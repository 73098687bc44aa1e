import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { parseExact, stringifyExact } from "../lib/exact-json.ts";
import { clockTime, duration, plain } from "../lib/format.ts";
import { type PlayMessage, type PlayState, progressOf } from "../lib/play.ts";
import { isObject } from "../lib/tools.ts";
import { Badge, Button, Loading } from "../ui/parts.tsx";
import { ResultView } from "../ui/result-view.tsx";

/** How a call goes, and what came of it. */
export function Outcome({ state, onCancel }: { state: PlayState; onCancel(): void }): JSX.Element {
	const { result, running } = state;
	const progress = running ? progressOf(state) : undefined;
	const reply = useMemo(
		() => (result === undefined ? undefined : resultIn(result.reply)),
		[result],
	);
	// A tool that failed was called well: only its result says so.
	const good = result?.outcome === "ok" && reply?.["isError"] !== true;
	return (
		<section class="card" aria-label="Result" aria-live="polite">
			<header>
				<h2>Result</h2>
				{running ? <Button onClick={onCancel}>Cancel the call</Button> : null}
				{result === undefined ? null : (
					<Badge tone={good ? "ok" : "bad"}>
						{good ? "done" : "failed"} in {duration(result.duration_ms)}
					</Badge>
				)}
			</header>
			{progress === undefined ? null : (
				<div class="stack tight">
					<progress
						aria-label="Progress of the call"
						{...(progress.of > 0 ? { value: progress.value, max: progress.of } : {})}
					/>
					<p class="muted small">
						{progress.of > 0 ? `${progress.value} of ${progress.of}. ` : ""}
						{plain(progress.text, 300)}
					</p>
				</div>
			)}
			{running && result === undefined ? <Loading what="The call runs" /> : null}
			{result === undefined ? null : (
				<Reply text={result.reply} result={reply} too_long={result.too_long} />
			)}
		</section>
	);
}

/** The result in a reply, or the error; undefined where it is neither. */
export function resultIn(text: string): Readonly<Record<string, unknown>> | undefined {
	try {
		const message = parseExact(text);
		return isObject(message) && isObject(message["result"]) ? message["result"] : undefined;
	} catch {
		return undefined;
	}
}

function Reply(props: {
	text: string;
	result: Readonly<Record<string, unknown>> | undefined;
	too_long: boolean;
}): JSX.Element {
	const { text, result, too_long } = props;
	if (too_long) return <p class="note">The reply is larger than 16 MB, so it is not shown here.</p>;
	if (result !== undefined) return <ResultView result={result} />;
	return (
		<div class="problem">
			<strong>{plain(errorIn(text), 2_000)}</strong>
		</div>
	);
}

function errorIn(text: string): string {
	try {
		const message = JSON.parse(text) as unknown;
		const error = isObject(message) ? message["error"] : undefined;
		return isObject(error) ? `${String(error["message"])} (${String(error["code"])})` : text;
	} catch {
		return text;
	}
}

const sides = [
	["client", "Client and gateway"],
	["server", "Gateway and server"],
] as const;

/** Everything that was said, on both sides of the gateway. */
export function Messages({ messages }: { messages: readonly PlayMessage[] }): JSX.Element {
	const [side, setSide] = useState<PlayMessage["side"]>("client");
	const shown = messages.filter((one) => one.side === side);
	return (
		<section class="card" aria-label="Messages">
			<header>
				<h2>Messages</h2>
				<div class="row">
					{sides.map(([id, title]) => (
						<Button key={id} kind="quiet" pressed={side === id} onClick={() => setSide(id)}>
							{title}
						</Button>
					))}
				</div>
			</header>
			{shown.length === 0 ? <p class="muted">Nothing was said here.</p> : null}
			<div class="messages">
				{shown.map((message, at) => (
					<details class="message" key={`${side}-${at}`}>
						<summary>
							<span class="muted num">{clockTime(message.at_ms)}</span>
							<Badge tone="">{message.from}</Badge>
							<span>{headOf(message.text)}</span>
						</summary>
						<pre tabIndex={0} aria-label="Message">
							{pretty(message)}
						</pre>
					</details>
				))}
			</div>
		</section>
	);
}

function headOf(text: string): string {
	const method = /"method"\s*:\s*"([^"]{1,80})"/.exec(text)?.[1];
	if (method !== undefined) return plain(method);
	return text.includes('"error"') && !text.includes('"result"') ? "error" : "result";
}

function pretty({ text, cut }: PlayMessage): string {
	if (cut) return `${plain(text, text.length)}\n… cut, it is longer`;
	try {
		const lines = stringifyExact(parseExact(text), "  ").split("\n");
		return lines.map((line) => plain(line, line.length)).join("\n");
	} catch {
		return plain(text, text.length);
	}
}
