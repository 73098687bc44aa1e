import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, type Reply } from "../lib/api.ts";
import { now } from "../lib/clock.ts";
import { plain, relative } from "../lib/format.ts";
import { useQuery } from "../lib/query.ts";
import { Button, Problem } from "../ui/parts.tsx";
import { AddKeyDialog, RemoveKeyDialog } from "./key-dialogs.tsx";

type Key = Reply<"listMyKeys">["keys"][number];

/** The API keys of whoever looks: for clients and scripts that cannot sign in by themselves. */
export function MyKeys(): JSX.Element {
	const { value, problem, reload } = useQuery("listMyKeys");
	const [asked, setAsked] = useState<"add" | Key | undefined>(undefined);
	const close = () => setAsked(undefined);
	return (
		<section class="card stack" aria-label="My keys">
			<header>
				<h2>My keys</h2>
				<Button
					icon="add"
					why_not={value === undefined ? "It is being looked at." : value.why_not}
					onClick={() => setAsked("add")}
				>
					Make a key
				</Button>
			</header>
			<p class="muted small">
				A key calls in your name, with what you may each time, and no more.{" "}
				{value?.why_not === undefined ? "" : plain(value.why_not)}
			</p>
			<Problem problem={problem} />
			{value?.keys.length === 0 ? <p class="muted">You have none.</p> : null}
			<ul class="stack tight">
				{value?.keys.map((key) => (
					<MyKey key={key.name} entry={key} onRemove={() => setAsked(key)} />
				))}
			</ul>
			{asked === "add" ? (
				<AddKeyDialog
					title="Make a key of yours"
					scopes_hint="What it is limited to; not limited when empty. With scopes, it opens the dashboard only if admin is one of them."
					add={async (body) => (await call("addMyKey", { body })).key}
					onClose={close}
					onDone={reload}
				/>
			) : null}
			{typeof asked === "object" ? (
				<RemoveKeyDialog
					name={asked.name}
					then="Clients that use it need another."
					remove={() => call("removeMyKey", { path: { name: asked.name } })}
					onClose={close}
					onDone={reload}
				/>
			) : null}
		</section>
	);
}

function MyKey({ entry, onRemove }: { entry: Key; onRemove(): void }): JSX.Element {
	const { name, source, scopes, expires_at_ms, used_at_ms } = entry;
	const in_file = source === "config" ? "It stands in the configuration file." : undefined;
	return (
		<li class="row">
			<span class="grow">
				<strong>{plain(name)}</strong>{" "}
				<span class="muted small">
					{scopes === undefined ? "" : `only ${plain(scopes.join(" "), 200)}; `}
					{used_at_ms === undefined ? "never used" : `used ${relative(used_at_ms, now())}`}
					{expires_at_ms === undefined ? "" : `; ends ${relative(expires_at_ms, now())}`}
				</span>
			</span>
			<Button kind="quiet" label={`Remove ${name}`} why_not={in_file} onClick={onRemove}>
				Remove
			</Button>
		</li>
	);
}
