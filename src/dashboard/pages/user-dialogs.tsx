import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, type Reply } from "../lib/api.ts";
import { placed } from "../lib/fields.ts";
import { plain } from "../lib/format.ts";
import { useAction, useQuery } from "../lib/query.ts";
import { ChangedMeanwhile } from "../ui/changed-meanwhile.tsx";
import { FormDialog } from "../ui/form-dialog.tsx";
import { Line, listOf, RolesLine, TenantLine } from "../ui/line.tsx";
import { tell } from "../ui/toasts.tsx";

/** A person as the gateway keeps them. */
export type User = Reply<"listUsers">["users"][number];

interface DialogProps {
	onClose(): void;
	onDone(): void;
}

/** Asks who is to be added. */
export function AddUser({ onClose, onDone }: DialogProps): JSX.Element {
	const [tenant, setTenant] = useState("");
	const [user, setUser] = useState("");
	const [name, setName] = useState("");
	const [roles, setRoles] = useState("member");
	const [password, setPassword] = useState("");
	const add = useAction(async () => {
		const body = {
			user: user.trim(),
			roles: listOf(roles),
			...(name.trim() === "" ? {} : { display_name: name.trim() }),
			...(tenant.trim() === "" ? {} : { tenant: tenant.trim() }),
			...(password === "" ? {} : { password }),
		};
		const made = await call("addUser", { body });
		tell(`${made.id} is added.`);
		onDone();
		onClose();
	});
	const fields = ["user", "tenant", "display_name", "roles", "password"] as const;
	const { at, rest } = placed(add.problem, fields);
	return (
		<FormDialog
			title="Add a person"
			verb="Add"
			busy={add.busy}
			why_not={user.trim() === "" ? "Name the user first." : undefined}
			problem={rest}
			onSubmit={() => void add.run()}
			onClose={onClose}
		>
			<Line
				label="User"
				hint="Letters, digits and . _ @ + -"
				error={at.user}
				value={user}
				onChange={setUser}
			/>
			<TenantLine error={at.tenant} value={tenant} onChange={setTenant} />
			<Line
				label="Name"
				optional
				hint="As people call them."
				error={at.display_name}
				value={name}
				onChange={setName}
			/>
			<RolesLine error={at.roles} value={roles} onChange={setRoles} />
			<Line
				label="Password"
				optional
				secret
				error={at.password}
				value={password}
				onChange={setPassword}
			/>
		</FormDialog>
	);
}

/** Changes somebody, as long as nobody else has since they were read. */
export function EditUser(props: DialogProps & { readonly user: User }): JSX.Element {
	const { onClose, onDone } = props;
	/** As they were when this began. */
	const [base, setBase] = useState(props.user);
	const [name, setName] = useState(base.display_name ?? "");
	const [roles, setRoles] = useState(base.roles.join(", "));
	const [password, setPassword] = useState("");
	const { tenant, user } = base;
	const change = useAction(async () => {
		const body = {
			display_name: name.trim(),
			roles: listOf(roles),
			...(password === "" ? {} : { password }),
		};
		const headers = { "if-match": base.etag };
		await call("changeUser", { path: { tenant, user }, body, headers });
		tell(`${base.id} is changed.`);
		onDone();
		onClose();
	});
	const rebase = (fresh: User, mine: boolean) => {
		change.clear();
		setBase(fresh);
		if (mine) return;
		setName(fresh.display_name ?? "");
		setRoles(fresh.roles.join(", "));
		setPassword("");
	};
	const conflict = change.problem?.code === "edited_meanwhile";
	const { at, rest } = placed(change.problem, ["display_name", "roles", "password"]);
	return (
		<FormDialog
			title={`Change ${base.id}`}
			verb="Change"
			busy={change.busy}
			why_not={conflict ? "Decide first whose change counts." : undefined}
			problem={conflict ? undefined : rest}
			onSubmit={() => void change.run()}
			onClose={onClose}
		>
			<Line label="Name" optional error={at.display_name} value={name} onChange={setName} />
			<RolesLine error={at.roles} value={roles} onChange={setRoles} />
			<Line
				label="New password"
				optional
				secret
				hint="It ends every login of theirs. Empty leaves the old one."
				error={at.password}
				value={password}
				onChange={setPassword}
			/>
			{conflict ? (
				<Conflict
					base={base}
					onTheirs={(fresh) => rebase(fresh, false)}
					onMine={(fresh) => rebase(fresh, true)}
				/>
			) : null}
		</FormDialog>
	);
}

interface ConflictProps {
	readonly base: User;
	onTheirs(fresh: User): void;
	onMine(fresh: User): void;
}

/** Somebody else changed the same person: neither change is lost without a word. */
function Conflict({ base, onTheirs, onMine }: ConflictProps): JSX.Element {
	const { value, loading } = useQuery("listUsers");
	const fresh = loading ? undefined : value?.users.find(({ id }) => id === base.id);
	const reading = fresh === undefined ? "Theirs is being read." : undefined;
	if (!loading && value !== undefined && fresh === undefined) {
		return (
			<p class="note" role="alert">
				Somebody else removed {base.id} meanwhile. Nothing of yours is applied.
			</p>
		);
	}
	return (
		<ChangedMeanwhile
			what={base.id}
			differing={fresh === undefined ? "" : differing(base, fresh)}
			why_not={reading}
			onTheirs={() => fresh && onTheirs(fresh)}
			onMine={() => fresh && onMine(fresh)}
		/>
	);
}

/** What somebody else made of a person, in words. */
function differing(base: User, fresh: User): string {
	const named = base.display_name !== fresh.display_name;
	const roles = fresh.roles.join(", ");
	const parts = [
		...(named ? [`the name is ${plain(fresh.display_name ?? "") || "none"} now`] : []),
		...(roles === base.roles.join(", ") ? [] : [`the roles are ${plain(roles) || "none"} now`]),
	];
	return parts.join(", ") || "they have another password now";
}
