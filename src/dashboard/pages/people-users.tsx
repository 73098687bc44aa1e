import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call } from "../lib/api.ts";
import { now } from "../lib/clock.ts";
import { plain, relative } from "../lib/format.ts";
import { useAction, useQuery } from "../lib/query.ts";
import { useSession, whyNot } from "../lib/session.ts";
import { ListTools, More, useListed } from "../ui/listed.tsx";
import { Badge, Button, Confirm, Empty, Loading, Problem } from "../ui/parts.tsx";
import { tell } from "../ui/toasts.tsx";
import { AddUser, EditUser, type User } from "./user-dialogs.tsx";

/** What a dialog is open about. */
type Asked = "add" | { edit: User } | { end: User } | { remove: User };

/** Everybody who may sign in or hold keys. */
export function UsersTab(): JSX.Element {
	const { value, problem, reload } = useQuery("listUsers");
	const why_not = whyNot(useSession());
	const [asked, setAsked] = useState<Asked | undefined>(undefined);
	const close = () => setAsked(undefined);
	const list = useListed(value?.users ?? [], wordsOf);
	if (value === undefined)
		return problem === undefined ? <Loading /> : <Problem problem={problem} />;
	return (
		<div class="stack">
			<div>
				<Button kind="main" icon="add" why_not={why_not} onClick={() => setAsked("add")}>
					Add a person
				</Button>
			</div>
			{value.users.length === 0 ? (
				<Empty title="Nobody yet">
					<p>Add the people who share this gateway. Each gets roles, keys and a password.</p>
				</Empty>
			) : (
				<>
					<ListTools list={list} what="people" label="Find a person" />
					<div class="cards">
						{list.shown.map((user) => (
							<UserCard
								key={user.id}
								user={user}
								why_not={why_not}
								onEdit={() => setAsked({ edit: user })}
								onEnd={() => setAsked({ end: user })}
								onRemove={() => setAsked({ remove: user })}
							/>
						))}
					</div>
					<More list={list} />
				</>
			)}
			{asked === "add" ? <AddUser onClose={close} onDone={reload} /> : null}
			{typeof asked === "object" && "edit" in asked ? (
				<EditUser user={asked.edit} onClose={close} onDone={reload} />
			) : null}
			{typeof asked === "object" && "end" in asked ? (
				<EndLogins user={asked.end} onClose={close} />
			) : null}
			{typeof asked === "object" && "remove" in asked ? (
				<RemoveUser user={asked.remove} onClose={close} onDone={reload} />
			) : null}
		</div>
	);
}

function wordsOf({ id, display_name, roles, provider }: User): string {
	return [id, display_name, ...roles, provider].filter(Boolean).join(" ");
}

interface UserCardProps {
	readonly user: User;
	readonly why_not: string | undefined;
	onEdit(): void;
	onEnd(): void;
	onRemove(): void;
}

function UserCard({ user, why_not, onEdit, onEnd, onRemove }: UserCardProps): JSX.Element {
	return (
		<section class="card" aria-label={user.id}>
			<header>
				<h2>{plain(user.display_name ?? user.user)}</h2>
				<span class="muted small">{plain(user.id)}</span>
			</header>
			<div class="row">
				{user.roles.map((role) => (
					<Badge key={role} tone="">
						{plain(role)}
					</Badge>
				))}
				{user.roles.length === 0 ? <span class="muted">no roles</span> : null}
			</div>
			<p class="muted small">
				{user.login_at_ms === undefined
					? "Never signed in here."
					: `Signed in ${relative(user.login_at_ms, now())}.`}{" "}
				{user.provider === undefined ? "" : `Comes from ${plain(user.provider)}.`}
			</p>
			<div class="row">
				<Button why_not={why_not} onClick={onEdit}>
					Change
				</Button>
				<Button kind="quiet" why_not={why_not} onClick={onEnd}>
					Sign out everywhere
				</Button>
				<Button kind="quiet" why_not={why_not} onClick={onRemove}>
					Remove
				</Button>
			</div>
		</section>
	);
}

function EndLogins({ user, onClose }: { user: User; onClose(): void }): JSX.Element {
	const end = useAction(async () => {
		await call("endLogins", { path: { tenant: user.tenant, user: user.user } });
		tell(`${user.id} is signed out everywhere.`);
		onClose();
	});
	return (
		<Confirm
			title={`Sign ${user.id} out everywhere?`}
			verb="Sign out"
			busy={end.busy}
			problem={end.problem}
			onConfirm={() => void end.run()}
			onClose={onClose}
		>
			<p>
				Every browser they are signed in with is signed out, and what they allowed to clients is
				taken back, with its tokens. Their API keys stay good.
			</p>
		</Confirm>
	);
}

function RemoveUser(props: { user: User; onClose(): void; onDone(): void }): JSX.Element {
	const { user, onClose, onDone } = props;
	const remove = useAction(async () => {
		await call("removeUser", { path: { tenant: user.tenant, user: user.user } });
		tell(`${user.id} is removed.`);
		onDone();
		onClose();
	});
	return (
		<Confirm
			title={`Remove ${user.id}?`}
			verb="Remove"
			busy={remove.busy}
			problem={remove.problem}
			onConfirm={() => void remove.run()}
			onClose={onClose}
		>
			<p>
				Their keys are refused from now on, every login of theirs ends, and what they allowed to
				clients is taken back. Their calls stay in the history.
			</p>
		</Confirm>
	);
}
