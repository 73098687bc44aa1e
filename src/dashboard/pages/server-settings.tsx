import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call } from "../lib/api.ts";
import { useAction } from "../lib/query.ts";
import { goTo } from "../lib/router.ts";
import { useSession, whyNot } from "../lib/session.ts";
import { Button, Confirm } from "../ui/parts.tsx";
import { tell } from "../ui/toasts.tsx";
import { ConfigEditor } from "./config-editor.tsx";
import { SettingsForm } from "./server-form.tsx";

/** The entry of a server in the configuration file, and how to take it out. */
export function SettingsTab({ name }: { name: string }): JSX.Element {
	const why_not = whyNot(useSession());
	const [asked, setAsked] = useState(false);
	const [as_text, setAsText] = useState(false);
	const remove = useAction(async () => {
		await call("removeServer", { path: { name } });
		tell(`${name} is removed.`);
		goTo("fleet");
	});
	if (why_not !== undefined) {
		return <p class="note">The configuration may hold secrets and starts programs. {why_not}</p>;
	}
	return (
		<div class="stack">
			<div class="row" role="group" aria-label="How the settings are edited">
				<Button kind="quiet" pressed={!as_text} onClick={() => setAsText(false)}>
					As a form
				</Button>
				<Button kind="quiet" pressed={as_text} onClick={() => setAsText(true)}>
					As the text of the file
				</Button>
			</div>
			{as_text ? (
				<ConfigEditor server={name} />
			) : (
				<SettingsForm name={name} onText={() => setAsText(true)} />
			)}
			<section class="card">
				<h2>Remove {name}</h2>
				<p>Takes it out of the configuration and ends it. Its volume stays on the disk.</p>
				<div>
					<Button kind="danger" onClick={() => setAsked(true)}>
						Remove
					</Button>
				</div>
			</section>
			{asked ? (
				<Confirm
					title={`Remove ${name}?`}
					verb="Remove"
					busy={remove.busy}
					problem={remove.problem}
					onConfirm={() => void remove.run()}
					onClose={() => setAsked(false)}
				>
					<p>
						Its entry is taken out of the configuration file, its calls are given time to finish,
						and it is ended. Clients that use it lose its tools. Its volume stays on the disk.
					</p>
				</Confirm>
			) : null}
		</div>
	);
}
