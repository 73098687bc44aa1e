import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type ApiProblem, call, type Reply } from "../lib/api.ts";
import { type Action, useAction } from "../lib/query.ts";
import type { Session } from "../lib/session.ts";
import { Mark } from "../ui/icons.tsx";
import { Button, Field, Problem } from "../ui/parts.tsx";

interface SignInProps {
	/** Token of a one-time link, if the person came by one. */
	readonly link: string | undefined;
	/** Whether somebody was signed in on this page before. */
	readonly again: boolean;
	onDone(session: Session): void;
}

type Ways = Reply<"getSignInWays">;

/** What a session can be opened with. */
type Proof = { link: string } | { credential: string } | { name: string; password: string };

/** What somebody tried to sign in with. */
type Way = "link" | "key" | "name";

/** Where people sign in: with their name, at a provider, or with a token or key. */
export function SignIn({ link, again, onDone }: SignInProps): JSX.Element {
	const [ways, setWays] = useState<Ways | undefined>(undefined);
	const [tried_with, setTriedWith] = useState<Way | undefined>(undefined);
	const open = useAction(async (body: Proof) => {
		setTriedWith("link" in body ? "link" : "credential" in body ? "key" : "name");
		onDone(await call("createSession", { body }));
	});
	const tried = useRef(false);
	useEffect(() => {
		// Whoever cannot be asked has no other ways either: a key can be tried at least.
		call("getSignInWays").then(setWays, () => setWays({ accounts: false, providers: [] }));
	}, []);
	useEffect(() => {
		if (link === undefined || tried.current) return;
		tried.current = true;
		void open.run({ link });
	}, [link]);
	useReturn(again, onDone);
	return (
		<main class="door" id="main">
			<div class="card">
				<h1>
					<Mark /> Moorage
				</h1>
				<p class="muted">
					{again
						? "Your session has ended. Sign in to go on where you were; what you typed is still there."
						: ways === undefined || ways.accounts || ways.providers.length > 0
							? "Sign in to see what you may use, and what waits for you."
							: "Sign in with an API key, a token, or the admin token of this gateway."}
				</p>
				{ways === undefined ? null : (
					<Doors ways={ways} again={again} open={open} tried_with={tried_with} />
				)}
				<p class="hint">
					On the gateway's own machine, <code>moorage dashboard</code> prints a link that signs in.
				</p>
			</div>
		</main>
	);
}

/**
 * Somebody whose session has ended while they typed signs in elsewhere in a page of its own, and
 * comes back to this one.
 */
function useReturn(again: boolean, onDone: (session: Session) => void): void {
	useEffect(() => {
		if (!again) return undefined;
		const look = () => {
			if (document.visibilityState === "visible") call("getSession").then(onDone, () => undefined);
		};
		window.addEventListener("focus", look);
		document.addEventListener("visibilitychange", look);
		return () => {
			window.removeEventListener("focus", look);
			document.removeEventListener("visibilitychange", look);
		};
	}, [again]);
}

interface DoorsProps {
	readonly ways: Ways;
	readonly again: boolean;
	readonly open: Action<Proof>;
	/** What the refusal is about, where there is one. */
	readonly tried_with: Way | undefined;
}

function Doors({ ways, again, open, tried_with }: DoorsProps): JSX.Element {
	const { accounts, providers } = ways;
	const is_only = !accounts && providers.length === 0;
	const { problem } = open;
	// A refusal stands at the field that was tried. All others are told once, above all the ways.
	const at_name = tried_with === "name" && problem?.code === "login_failed";
	const at_key =
		(tried_with === "key" && problem?.code === "unauthorized") ||
		(is_only && (problem?.code === "unauthorized" || problem?.code === "link_used"));
	return (
		<>
			{at_name || at_key ? null : <Problem problem={problem} />}
			{accounts ? <PasswordForm open={open} wrong={at_name ? problem : undefined} /> : null}
			{providers.map((one) => (
				<a
					key={one.name}
					class="button plain wide"
					href={wayTo(one.name, again)}
					target={again ? "_blank" : undefined}
				>
					Continue with {one.title}
				</a>
			))}
			{is_only ? (
				<KeyForm open={open} wrong={at_key ? problem : undefined} />
			) : (
				<details>
					<summary>With an API key or token</summary>
					<KeyForm open={open} wrong={at_key ? problem : undefined} />
				</details>
			)}
		</>
	);
}

/** Where a provider's page is begun, and what the person comes back to. */
function wayTo(provider: string, again: boolean): string {
	const to = again ? "/sign-in/done" : `/${window.location.hash}`;
	return `/sign-in/with/${provider}?${new URLSearchParams({ to })}`;
}

interface FormProps {
	readonly open: Action<Proof>;
	/** Why what was typed here opened nothing. */
	readonly wrong: ApiProblem | undefined;
}

function PasswordForm({ open, wrong }: FormProps): JSX.Element {
	const [name, setName] = useState("");
	const [password, setPassword] = useState("");
	const form = useRef<HTMLFormElement>(null);
	useEffect(() => {
		if (wrong !== undefined) form.current?.querySelector<HTMLElement>("[type=password]")?.focus();
	}, [wrong]);
	const submit = (event: Event) => {
		event.preventDefault();
		const empty = name.trim() === "" ? "input" : password === "" ? "[type=password]" : undefined;
		if (empty !== undefined) form.current?.querySelector<HTMLElement>(empty)?.focus();
		else void open.run({ name: name.trim(), password });
	};
	return (
		<form ref={form} onSubmit={submit} class="stack">
			<Field
				label="Name"
				control={(attributes) => (
					<input
						{...attributes}
						autocomplete="username"
						autocapitalize="none"
						spellcheck={false}
						value={name}
						onInput={(event) => setName(event.currentTarget.value)}
					/>
				)}
			/>
			<Field
				label="Password"
				error={wrong === undefined ? undefined : `${wrong.message} ${wrong.next}`}
				control={(attributes) => (
					<input
						{...attributes}
						type="password"
						autocomplete="current-password"
						value={password}
						onInput={(event) => setPassword(event.currentTarget.value)}
					/>
				)}
			/>
			<Button type="submit" kind="main" busy={open.busy}>
				Sign in
			</Button>
		</form>
	);
}

function KeyForm({ open, wrong }: FormProps): JSX.Element {
	const [credential, setCredential] = useState("");
	const input = useRef<HTMLInputElement>(null);
	const submit = (event: Event) => {
		event.preventDefault();
		const text = credential.trim();
		if (text === "") input.current?.focus();
		else void open.run({ credential: text });
	};
	return (
		<form onSubmit={submit} class="stack">
			<Field
				label="Token or key"
				error={wrong === undefined ? undefined : `${wrong.message} ${wrong.next}`}
				control={(attributes) => (
					<input
						{...attributes}
						ref={input}
						type="password"
						autocomplete="off"
						value={credential}
						onInput={(event) => setCredential(event.currentTarget.value)}
					/>
				)}
			/>
			<Button type="submit" kind="main" busy={open.busy}>
				Sign in
			</Button>
		</form>
	);
}
