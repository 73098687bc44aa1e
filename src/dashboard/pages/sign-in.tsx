import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiProblem, call } from "../lib/api.ts";
import { useAction } from "../lib/query.ts";
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

/** Where people sign in, with a link or with a token or key. */
export function SignIn({ link, again, onDone }: SignInProps): JSX.Element {
	const [credential, setCredential] = useState("");
	const input = useRef<HTMLInputElement>(null);
	const open = useAction(async (body: { link: string } | { credential: string }) => {
		onDone(await call("createSession", { body }));
	});
	const tried = useRef(false);
	useEffect(() => {
		if (link === undefined || tried.current) return;
		tried.current = true;
		void open.run({ link });
	}, [link]);
	const submit = (event: Event) => {
		event.preventDefault();
		const text = credential.trim();
		if (text === "") input.current?.focus();
		else void open.run({ credential: text });
	};
	const wrong = open.problem instanceof ApiProblem && open.problem.status === 401;
	return (
		<main class="door" id="main">
			<form class="card" onSubmit={submit}>
				<h1>
					<Mark /> Moorage
				</h1>
				<p class="muted">
					{again
						? "Your session has ended. Sign in to go on where you were; what you typed is still there."
						: "Sign in with an API key, a token, or the admin token of this gateway."}
				</p>
				<Field
					label="Token or key"
					error={wrong ? `${open.problem?.message} ${open.problem?.next}` : undefined}
					control={(attributes) => (
						<input
							{...attributes}
							ref={input}
							type="password"
							autocomplete="current-password"
							value={credential}
							onInput={(event) => setCredential(event.currentTarget.value)}
						/>
					)}
				/>
				{wrong ? null : <Problem problem={open.problem} />}
				<Button type="submit" kind="main" busy={open.busy}>
					Sign in
				</Button>
				<p class="hint">
					On the gateway's own machine, <code>moorage dashboard</code> prints a link that signs in.
				</p>
			</form>
		</main>
	);
}
