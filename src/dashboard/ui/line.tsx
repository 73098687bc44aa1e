import type { JSX } from "preact";
import { Field } from "./parts.tsx";

/** One line of text with its name. */
export function Line(props: {
	label: string;
	value: string;
	hint?: string | undefined;
	error?: string | undefined;
	optional?: boolean;
	secret?: boolean;
	onChange(value: string): void;
}): JSX.Element {
	return (
		<Field
			label={props.label}
			hint={props.hint}
			error={props.error}
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

/** A line whose label and hint are the same wherever it stands. */
interface KnownLineProps {
	readonly value: string;
	readonly error?: string | undefined;
	onChange(value: string): void;
}

/** The tenant that somebody or something is of. */
export function TenantLine(props: KnownLineProps): JSX.Element {
	return <Line {...props} label="Tenant" optional hint="`default` when empty." />;
}

/** The roles of somebody, as a list that is separated by commas. */
export function RolesLine(props: KnownLineProps): JSX.Element {
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
