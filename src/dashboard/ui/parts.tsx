import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { ApiProblem } from "../lib/api.ts";
import { later } from "../lib/clock.ts";
import { plain } from "../lib/format.ts";
import { Icon, type IconName } from "./icons.tsx";

/** The small things that every page is made of. */

interface ButtonProps {
	readonly children?: ComponentChildren;
	readonly icon?: IconName;
	readonly kind?: "main" | "plain" | "quiet" | "danger";
	/** What it does, where no text says so. */
	readonly label?: string;
	readonly busy?: boolean;
	/** Why it cannot be used now; undefined: it can. */
	readonly why_not?: string | undefined;
	readonly type?: "button" | "submit";
	readonly pressed?: boolean;
	onClick?(): void;
}

/** A button. One that cannot be used stays in the order of tabs, and says why. */
export function Button(props: ButtonProps): JSX.Element {
	const { children, icon, kind = "plain", label, busy = false, why_not, type = "button" } = props;
	const off = busy || why_not !== undefined;
	return (
		<button
			type={type}
			class={`button ${kind} ${children === undefined ? "bare" : ""}`}
			aria-label={label}
			title={why_not ?? label}
			aria-disabled={off}
			aria-busy={busy}
			aria-pressed={props.pressed}
			onClick={(event) => {
				if (off) event.preventDefault();
				else props.onClick?.();
			}}
		>
			{icon === undefined ? null : <Icon name={icon} />}
			{children === undefined ? null : <span>{children}</span>}
		</button>
	);
}

interface FieldProps {
	readonly label: string;
	readonly hint?: string | undefined;
	readonly error?: string | undefined;
	readonly optional?: boolean;
	/** Draws the control, which has to carry these. */
	control(attributes: {
		id: string;
		"aria-describedby"?: string;
		"aria-invalid"?: boolean;
	}): JSX.Element;
}

/** A control with its name, what to know about it, and what is wrong with it. */
export function Field({ label, hint, error, optional, control }: FieldProps): JSX.Element {
	const id = useId();
	const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
	return (
		<div class="field">
			<label for={id}>
				{label}
				{optional === true ? <span class="muted"> optional</span> : null}
			</label>
			{control({
				id,
				...(described === "" ? {} : { "aria-describedby": described }),
				...(error === undefined ? {} : { "aria-invalid": true }),
			})}
			{hint === undefined ? null : (
				<p class="hint" id={`${id}-hint`}>
					{hint}
				</p>
			)}
			{error === undefined ? null : (
				<p class="error" id={`${id}-error`}>
					{error}
				</p>
			)}
		</div>
	);
}

/** What went wrong, and what to do next. */
export function Problem({ problem }: { problem: ApiProblem | undefined }): JSX.Element | null {
	if (problem === undefined) return null;
	return (
		<div class="problem" role="alert">
			<strong>{plain(problem.message, 600)}</strong>
			<p>{plain(problem.next, 600)}</p>
			{problem.config === undefined ? null : (
				<ul>
					{problem.config.map((one) => (
						<li key={`${one.line}-${one.message}`}>
							Line {one.line}: {plain(one.message, 400)} {plain(one.next, 400)}
						</li>
					))}
				</ul>
			)}
			{problem.error_id === undefined ? null : (
				<p class="muted">In the log under {problem.error_id}.</p>
			)}
		</div>
	);
}

/** A place where there is nothing yet, and what to do about it. */
export function Empty(props: { title: string; children?: ComponentChildren }): JSX.Element {
	return (
		<div class="empty">
			<h2>{props.title}</h2>
			{props.children}
		</div>
	);
}

/** Something is being read. */
export function Loading({ what = "Loading" }: { what?: string }): JSX.Element {
	return (
		<p class="loading" role="status">
			{what}…
		</p>
	);
}

/** A word with a colour that says the same. */
export function Badge({
	tone,
	children,
}: {
	tone: string;
	children: ComponentChildren;
}): JSX.Element {
	return <span class={`badge ${tone}`}>{children}</span>;
}

const words: Readonly<Record<string, string>> = {
	ready: "Ready",
	frozen: "Asleep",
	stopped: "Stopped",
	starting: "Starting",
	resolving: "Installing",
	declared: "Declared",
	draining: "Ending",
	failed: "Failed",
};

/** The state of a server in a word and a colour. */
export function StateBadge({ state, off }: { state: string; off?: boolean }): JSX.Element {
	// Whatever runs of it, nobody can call it.
	if (off === true) return <Badge tone="bad">Switched off</Badge>;
	return (
		<Badge tone={state}>
			<i class="dot" aria-hidden="true" />
			{words[state] ?? state}
		</Badge>
	);
}

/** A text that can be copied. */
export function Copyable(props: { text: string; label: string; block?: boolean }): JSX.Element {
	const { text, label, block = false } = props;
	const [copied, setCopied] = useState(false);
	useEffect(() => (copied ? later(2_000, () => setCopied(false)) : undefined), [copied]);
	const copy = () => {
		void navigator.clipboard?.writeText(text).then(() => setCopied(true));
	};
	return (
		<div class={`copyable ${block ? "block" : ""}`}>
			{block ? (
				<pre tabIndex={0} role="region" aria-label={label}>
					{text}
				</pre>
			) : (
				<code>{text}</code>
			)}
			<Button icon="copy" kind="quiet" label={copied ? "Copied" : `Copy ${label}`} onClick={copy} />
			<span class="sr" role="status">
				{copied ? "Copied" : ""}
			</span>
		</div>
	);
}

interface DialogProps {
	readonly title: string;
	readonly children: ComponentChildren;
	onClose(): void;
}

/** A dialog over the page; Escape closes it, and focus goes back to where it was. */
export function Dialog({ title, children, onClose }: DialogProps): JSX.Element {
	const box = useRef<HTMLDialogElement>(null);
	const id = useId();
	useEffect(() => {
		const before = document.activeElement;
		box.current?.showModal();
		return () => {
			if (before instanceof HTMLElement) before.focus();
		};
	}, []);
	return (
		<dialog ref={box} aria-labelledby={id} onClose={onClose} class="dialog">
			<header>
				<h2 id={id}>{title}</h2>
				<Button icon="close" kind="quiet" label="Close" onClick={() => box.current?.close()} />
			</header>
			<div class="dialog-body">{children}</div>
		</dialog>
	);
}

interface ConfirmProps {
	readonly title: string;
	/** What it will do, in sentences. */
	readonly children: ComponentChildren;
	readonly verb: string;
	readonly busy: boolean;
	readonly problem: ApiProblem | undefined;
	onConfirm(): void;
	onClose(): void;
}

/** Asks before something that cannot be taken back, and says what it will do. */
export function Confirm(props: ConfirmProps): JSX.Element {
	return (
		<Dialog title={props.title} onClose={props.onClose}>
			{props.children}
			<Problem problem={props.problem} />
			<div class="row end">
				<Button onClick={props.onClose}>Cancel</Button>
				<Button kind="danger" busy={props.busy} onClick={props.onConfirm}>
					{props.verb}
				</Button>
			</div>
		</Dialog>
	);
}

interface TabsProps {
	readonly label: string;
	readonly tabs: readonly { readonly id: string; readonly title: string }[];
	readonly current: string;
	href(id: string): string;
}

/** Links between the parts of a page. */
export function Tabs({ label, tabs, current, href }: TabsProps): JSX.Element {
	const row = useRef<HTMLElement>(null);
	useEffect(() => {
		// On a narrow screen not all of them are seen at once, but where one stands is.
		const box = row.current;
		const here = box?.querySelector<HTMLElement>('[aria-current="page"]');
		if (box === null || here === null || here === undefined) return;
		const from_left = here.offsetLeft - box.offsetLeft;
		box.scrollLeft = from_left - (box.clientWidth - here.offsetWidth) / 2;
	}, [current]);
	return (
		<nav class="tabs" aria-label={label} ref={row}>
			{tabs.map(({ id, title }) => (
				<a key={id} href={href(id)} aria-current={id === current ? "page" : undefined}>
					{title}
				</a>
			))}
		</nav>
	);
}

/** The head of a page: where one is, and what can be done. */
export function PageHead(props: {
	title: ComponentChildren;
	about?: ComponentChildren;
	children?: ComponentChildren;
}): JSX.Element {
	return (
		<header class="page-head">
			<div>
				<h1 tabIndex={-1}>{props.title}</h1>
				{props.about === undefined ? null : <p class="muted">{props.about}</p>}
			</div>
			{props.children === undefined ? null : <div class="row">{props.children}</div>}
		</header>
	);
}

/** Names and values. */
export function Facts({
	rows,
}: {
	rows: readonly (readonly [string, ComponentChildren])[];
}): JSX.Element {
	return (
		<dl class="facts">
			{rows.map(([name, value]) =>
				value === undefined || value === "" ? null : (
					<div key={name}>
						<dt>{name}</dt>
						<dd>{value}</dd>
					</div>
				),
			)}
		</dl>
	);
}
