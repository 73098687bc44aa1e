import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, type Reply } from "../lib/api.ts";
import { now } from "../lib/clock.ts";
import { plain, relative } from "../lib/format.ts";
import { useAction, useQuery } from "../lib/query.ts";
import { useSession, whyNot } from "../lib/session.ts";
import { Badge, Button, Confirm, Dialog, Empty, Field, Loading, Problem } from "../ui/parts.tsx";
import { tell } from "../ui/toasts.tsx";

type User = Reply<"listUsers">["users"][number];

/** Everybody who may sign in or hold keys. */
export function UsersTab(): JSX.Element {
	const { value, problem, reload } = useQuery("listUsers");
	const why_not = whyNot(useSession());
	const [asked, setAsked] = useState<"add" | { edit: User } | { remove: User } | undefined>(
		undefined,
	);
	const close = () => setAsked(undefined);
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
				<div class="cards">
					{value.users.map((user) => (
						<UserCard
							key={user.id}
							user={user}
							why_not={why_not}
							onEdit={() => setAsked({ edit: user })}
							onRemove={() => setAsked({ remove: user })}
						/>
					))}
				</div>
			)}
			{asked === "add" ? <AddUser onClose={close} onDone={reload} /> : null}
			{typeof asked === "object" && "edit" in asked ? (
				<EditUser user={asked.edit} onClose={close} onDone={reload} />
			) : null}
			{typeof asked === "object" && "remove" in asked ? (
				<RemoveUser user={asked.remove} onClose={close} onDone={reload} />
			) : null}
		</div>
	);
}

interface UserCardProps {
	readonly user: User;
	readonly why_not: string | undefined;
	onEdit(): void;
	onRemove(): void;
}

function UserCard({ user, why_not, onEdit, onRemove }: UserCardProps): JSX.Element {
	const end = useAction(async () => {
		await call("endLogins", { path: { tenant: user.tenant, user: user.user } });
		tell(`${user.id} is signed out everywhere.`);
	});
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
			<Problem problem={end.problem} />
			<div class="row">
				<Button why_not={why_not} onClick={onEdit}>
					Change
				</Button>
				<Button kind="quiet" why_not={why_not} busy={end.busy} onClick={() => void end.run()}>
					Sign out everywhere
				</Button>
				<Button kind="quiet" why_not={why_not} onClick={onRemove}>
					Remove
				</Button>
			</div>
		</section>
	);
}

interface UserDialogProps {
	onClose(): void;
	onDone(): void;
}

function AddUser({ onClose, onDone }: UserDialogProps): JSX.Element {
	const [tenant, setTenant] = useState("");
	const [user, setUser] = useState("");
	const [roles, setRoles] = useState("member");
	const [password, setPassword] = useState("");
	const add = useAction(async () => {
		const body = {
			user: user.trim(),
			roles: listOf(roles),
			...(tenant.trim() === "" ? {} : { tenant: tenant.trim() }),
			...(password === "" ? {} : { password }),
		};
		const made = await call("addUser", { body });
		tell(`${made.id} is added.`);
		onDone();
		onClose();
	});
	return (
		<Dialog title="Add a person" onClose={onClose}>
			<Line label="User" value={user} onChange={setUser} hint="Letters, digits and . _ @ + -" />
			<Line
				label="Tenant"
				optional
				value={tenant}
				onChange={setTenant}
				hint="`default` when empty."
			/>
			<RolesLine value={roles} onChange={setRoles} />
			<Line label="Password" optional secret value={password} onChange={setPassword} />
			<Problem problem={add.problem} />
			<div class="row end">
				<Button onClick={onClose}>Cancel</Button>
				<Button
					kind="main"
					busy={add.busy}
					why_not={user.trim() === "" ? "Name the user first." : undefined}
					onClick={() => void add.run()}
				>
					Add
				</Button>
			</div>
		</Dialog>
	);
}

function EditUser({ user, onClose, onDone }: UserDialogProps & { user: User }): JSX.Element {
	const [name, setName] = useState(user.display_name ?? "");
	const [roles, setRoles] = useState(user.roles.join(", "));
	const [password, setPassword] = useState("");
	const change = useAction(async () => {
		const body = {
			display_name: name,
			roles: listOf(roles),
			...(password === "" ? {} : { password }),
		};
		await call("changeUser", { path: { tenant: user.tenant, user: user.user }, body });
		tell(`${user.id} is changed.`);
		onDone();
		onClose();
	});
	return (
		<Dialog title={`Change ${user.id}`} onClose={onClose}>
			<Line label="Name" optional value={name} onChange={setName} />
			<RolesLine value={roles} onChange={setRoles} />
			<Line
				label="New password"
				optional
				secret
				hint="It ends every login of theirs. Empty leaves the old one."
				value={password}
				onChange={setPassword}
			/>
			<Problem problem={change.problem} />
			<div class="row end">
				<Button onClick={onClose}>Cancel</Button>
				<Button kind="main" busy={change.busy} onClick={() => void change.run()}>
					Change
				</Button>
			</div>
		</Dialog>
	);
}

function RemoveUser({ user, onClose, onDone }: UserDialogProps & { user: User }): JSX.Element {
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

/** One line of text with its name. */
export function Line(props: {
	label: string;
	value: string;
	hint?: string;
	optional?: boolean;
	secret?: boolean;
	onChange(value: string): void;
}): JSX.Element {
	return (
		<Field
			label={props.label}
			hint={props.hint}
			optional={props.optional === true}
			control={(attributes) => (
				<input
					{...attributes}
					class={props.secret === true ? "hidden-text" : ""}
					autocomplete="off"
					spellcheck={false}
					value={props.value}
					onInput={(event) => props.onChange(event.currentTarget.value)}
				/>
			)}
		/>
	);
}

function RolesLine(props: { value: string; onChange(value: string): void }): JSX.Element {
	return (
		<Line
			{...props}
			label="Roles"
			optional
			hint="Separated by commas. Here: admin, operator, auditor, approver, member; rules may know others."
		/>
	);
}

/** The words of a list that is separated by commas. */
export function listOf(text: string): string[] {
	return text
		.split(/[\s,]+/)
		.map((word) => word.trim())
		.filter((word) => word !== "");
}
