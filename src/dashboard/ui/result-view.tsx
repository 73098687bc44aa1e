import type { JSX } from "preact";
import { parseExact } from "../lib/exact-json.ts";
import { plain, plainLines, textOf } from "../lib/format.ts";
import { isObject } from "../lib/tools.ts";
import { JsonTree } from "./json-tree.tsx";
import { Badge } from "./parts.tsx";

/** Longest text that is drawn as one; of longer ones the beginning, and the rest on demand. */
const text_chars_max = 100_000;

/** Pictures and sounds that a browser draws without running anything. */
const picture_types = /^image\/(png|jpeg|gif|webp|avif|svg\+xml|bmp)$/;
const sound_types = /^audio\/[\w.+-]+$/;
const base64 = /^[A-Za-z0-9+/=\s]*$/;

/** The result of a tool, a resource or a prompt: each part as what it is, nothing as markup. */
export function ResultView({ result }: { result: Readonly<Record<string, unknown>> }): JSX.Element {
	const parts = [result["content"], result["contents"]].find(Array.isArray) as
		| unknown[]
		| undefined;
	const messages = Array.isArray(result["messages"]) ? result["messages"] : [];
	const structured = result["structuredContent"];
	return (
		<div class="stack result">
			{result["isError"] === true ? <p class="problem">The tool says that it failed.</p> : null}
			{parts?.map((part, at) => (
				<Part key={String(at)} part={part} />
			))}
			{messages.map((message, at) => (
				<div key={String(at)} class="stack tight">
					<Badge tone="">{isObject(message) ? plain(String(message["role"])) : "message"}</Badge>
					<Part part={isObject(message) ? message["content"] : message} />
				</div>
			))}
			{structured === undefined ? null : (
				<div class="stack tight">
					<h3>Structured</h3>
					<div class="tree">
						<JsonTree value={structured} />
					</div>
				</div>
			)}
			{parts === undefined && messages.length === 0 && structured === undefined ? (
				<div class="tree">
					<JsonTree value={result} />
				</div>
			) : null}
		</div>
	);
}

function Part({ part }: { part: unknown }): JSX.Element {
	if (!isObject(part)) return <Unknown value={part} />;
	const { data, text, blob } = part;
	const mime = typeof part["mimeType"] === "string" ? part["mimeType"] : "";
	switch (part["type"]) {
		case "text":
			return <TextPart text={String(text)} />;
		case "image":
		case "audio":
			return <Media mime={mime} data={String(data)} />;
		case "resource":
			return <Part part={part["resource"]} />;
		case "resource_link":
			return (
				<p>
					Resource: <code>{plain(String(part["uri"]), 1_000)}</code> {plain(textOf(part["name"]))}
				</p>
			);
		default:
			if (typeof text === "string") {
				return (
					<div class="stack tight">
						<Uri part={part} />
						<TextPart text={text} />
					</div>
				);
			}
			if (typeof blob === "string") {
				return (
					<div class="stack tight">
						<Uri part={part} />
						<Media mime={mime} data={blob} />
					</div>
				);
			}
			return <Unknown value={part} />;
	}
}

function Uri({ part }: { part: Readonly<Record<string, unknown>> }): JSX.Element | null {
	if (typeof part["uri"] !== "string") return null;
	const mime = typeof part["mimeType"] === "string" ? ` ${part["mimeType"]}` : "";
	return <p class="muted small">{plain(part["uri"] + mime, 1_000)}</p>;
}

function TextPart({ text }: { text: string }): JSX.Element {
	const value = jsonIn(text);
	if (value !== undefined) {
		return (
			<div class="tree">
				<JsonTree value={value} />
			</div>
		);
	}
	const cut = text.length > text_chars_max;
	return (
		<>
			<pre tabIndex={0} aria-label="Text">
				{plainLines(text, text_chars_max)}
			</pre>
			{cut ? (
				<p class="note">
					This text has {text.length} characters; the first {text_chars_max} are shown.
				</p>
			) : null}
		</>
	);
}

function Media({ mime, data }: { mime: string; data: string }): JSX.Element {
	const address = `data:${mime};base64,${data}`;
	if (!base64.test(data)) return <p class="note">This part is not base64, so it is not shown.</p>;
	if (picture_types.test(mime)) return <img src={address} alt="What the tool answered" />;
	if (sound_types.test(mime))
		return <audio controls src={address} aria-label="What the tool answered" />;
	const size = Math.floor((data.length * 3) / 4);
	return (
		<p>
			{size} bytes of {plain(mime || "an unknown type", 80)}, which is not shown here.
		</p>
	);
}

function Unknown({ value }: { value: unknown }): JSX.Element {
	return (
		<div class="tree">
			<JsonTree value={value} />
		</div>
	);
}

/** The value of a text that is an object or a list in JSON. */
function jsonIn(text: string): unknown {
	if (text.length > text_chars_max || !/^\s*[{[]/.test(text)) return undefined;
	try {
		return parseExact(text);
	} catch {
		return undefined;
	}
}
