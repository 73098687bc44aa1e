import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { type Draft, draftOf, isNested, type Mistakes, nameKey } from "../lib/drafts.ts";
import { counted, plain, textOf } from "../lib/format.ts";
import { isFile, type Member, type Shape } from "../lib/shapes.ts";
import { Button, Field } from "./parts.tsx";

interface ShapeProps<Kind extends Shape["kind"] = Shape["kind"]> {
	readonly shape: Extract<Shape, { kind: Kind }>;
	readonly draft: Draft;
	/** Where it is, as mistakes name it. */
	readonly path: string;
	readonly label: string;
	readonly required: boolean;
	readonly mistakes: Mistakes;
	onChange(draft: Draft): void;
}

const hint_chars_max = 1_000;
const file_bytes_max = 20 * 1024 * 1024;

/** The form of a whole object: its members, one below the other. */
export function ObjectForm(props: Omit<ShapeProps, "label" | "required">): JSX.Element {
	const { shape, path } = props;
	if (shape.kind !== "object" || shape.open) {
		return <ShapeField {...props} label="Arguments" required={false} />;
	}
	if (shape.members.length === 0 && shape.rest === undefined) {
		return <p class="muted">It takes no arguments.</p>;
	}
	return (
		<>
			{shape.members.map((member) => (
				<MemberField key={member.name} {...props} member={member} path={path} />
			))}
			{shape.rest === undefined ? null : <RestFields {...props} rest={shape.rest} />}
		</>
	);
}

/** Members whose names are typed too, one row each. */
function RestFields(
	props: Omit<ShapeProps, "label" | "required"> & { readonly rest: Shape },
): JSX.Element {
	const { rest, draft, path, mistakes, onChange } = props;
	const { members, rest: rows = [] } =
		typeof draft === "object" && "members" in draft ? draft : { members: {} };
	const put = (next: typeof rows) => onChange({ members, rest: next });
	return (
		<>
			{rows.map(([name, one], at) => (
				<div class="row top-aligned pair" key={String(at)}>
					<Field
						label="Name"
						error={mistakes[nameKey(path, at)]}
						control={(attributes) => (
							<input
								{...attributes}
								autocomplete="off"
								spellcheck={false}
								value={name}
								onInput={(event) => put(rows.with(at, [event.currentTarget.value, one]))}
							/>
						)}
					/>
					<div class="grow">
						<ShapeField
							shape={rest}
							draft={one}
							path={path === "" ? name : `${path}.${name}`}
							label={name === "" ? "Value" : `Value of ${plain(name, 80)}`}
							required
							mistakes={mistakes}
							onChange={(next) => put(rows.with(at, [name, next]))}
						/>
					</div>
					<Button
						icon="close"
						kind="quiet"
						label={`Remove ${name === "" ? `row ${at + 1}` : plain(name, 80)}`}
						onClick={() => put(rows.toSpliced(at, 1))}
					/>
				</div>
			))}
			<div>
				<Button icon="add" onClick={() => put([...rows, ["", draftOf(rest)]])}>
					{path === "" ? "Add another member" : `Add to ${path}`}
				</Button>
			</div>
		</>
	);
}

function MemberField(
	props: Omit<ShapeProps, "label" | "required"> & { readonly member: Member },
): JSX.Element {
	const { member, draft, path, mistakes, onChange } = props;
	const members = typeof draft === "object" && "members" in draft ? draft.members : {};
	const here = path === "" ? member.name : `${path}.${member.name}`;
	const change = (next: Draft) => {
		const { [member.name]: _before, ...others } = members;
		const rest = typeof draft === "object" && "rest" in draft ? draft.rest : undefined;
		onChange({
			members: next === undefined ? others : { ...others, [member.name]: next },
			...(rest !== undefined && { rest }),
		});
	};
	const label = plain(member.shape.about.title ?? member.name, 100);
	const there = members[member.name];
	if (!member.required && there === undefined && isNested(member.shape)) {
		return (
			<div>
				<Button icon="add" onClick={() => change(draftOf(member.shape))}>
					{`Add ${label}`}
				</Button>
			</div>
		);
	}
	return (
		<ShapeField
			shape={member.shape}
			draft={there}
			path={here}
			label={label}
			required={member.required}
			mistakes={mistakes}
			onChange={change}
		/>
	);
}

function ShapeField(props: ShapeProps): JSX.Element {
	const { shape } = props;
	switch (shape.kind) {
		case "object":
			return shape.open ? <JsonField {...props} /> : <Group {...props} />;
		case "list":
			return <ListField {...props} shape={shape} />;
		case "union":
			return <UnionField {...props} shape={shape} />;
		case "enum":
			return <EnumField {...props} shape={shape} />;
		case "boolean":
			return <BooleanField {...props} />;
		case "json":
			return <JsonField {...props} />;
		case "const":
			return (
				<p>
					{props.label}: <code>{plain(JSON.stringify(shape.value), 200)}</code>
				</p>
			);
		default:
			return isFile(shape) ? <FileField {...props} /> : <TextField {...props} />;
	}
}

/** What every field has in common. */
function common(
	props: Pick<ShapeProps, "label" | "required" | "mistakes" | "path"> & { shape: Shape },
) {
	const { shape, label, required, mistakes, path } = props;
	const { description } = shape.about;
	return {
		label,
		optional: !required,
		hint: description === undefined ? undefined : plain(description, hint_chars_max),
		error: mistakes[path],
	};
}

function TextField(props: ShapeProps): JSX.Element {
	const { shape, draft, onChange } = props;
	const text = typeof draft === "string" ? draft : "";
	const { maxLength } = shape.about.schema;
	const long =
		text.includes("\n") || text.length > 80 || (typeof maxLength === "number" && maxLength > 500);
	const is_number = shape.kind === "number" || shape.kind === "integer";
	return (
		<Field
			{...common(props)}
			control={(attributes) =>
				long ? (
					<textarea
						{...attributes}
						value={text}
						onInput={(event) => onChange(event.currentTarget.value)}
					/>
				) : (
					<input
						{...attributes}
						inputMode={is_number ? "decimal" : "text"}
						autocomplete="off"
						spellcheck={false}
						value={text}
						onInput={(event) => onChange(event.currentTarget.value)}
					/>
				)
			}
		/>
	);
}

function JsonField(props: ShapeProps): JSX.Element {
	const { draft, onChange } = props;
	const { hint, ...rest } = common(props);
	return (
		<Field
			{...rest}
			hint={hint === undefined ? "As JSON." : `${hint} As JSON.`}
			control={(attributes) => (
				<textarea
					{...attributes}
					spellcheck={false}
					value={typeof draft === "string" ? draft : ""}
					onInput={(event) => onChange(event.currentTarget.value)}
				/>
			)}
		/>
	);
}

function FileField(props: ShapeProps): JSX.Element {
	const { draft, onChange } = props;
	const octets = typeof draft === "string" ? draft.replace(/=+$/, "") : "";
	const size = Math.floor((octets.length * 3) / 4);
	const [too_large, setTooLarge] = useState(false);
	const take = (file: File | undefined) => {
		setTooLarge(file !== undefined && file.size > file_bytes_max);
		if (file === undefined || file.size > file_bytes_max) return onChange(undefined);
		void file.arrayBuffer().then((buffer) => {
			const chars = Array.from(new Uint8Array(buffer), (octet) => String.fromCharCode(octet));
			onChange(window.btoa(chars.join("")));
		});
	};
	const { hint, error, ...rest } = common(props);
	return (
		<Field
			{...rest}
			error={too_large ? "This file is larger than 20 MB." : error}
			hint={[hint, size > 0 ? `${size} bytes chosen.` : undefined].filter(Boolean).join(" ")}
			control={(attributes) => (
				<input
					{...attributes}
					type="file"
					onChange={(event) => take(event.currentTarget.files?.[0])}
				/>
			)}
		/>
	);
}

function BooleanField(props: ShapeProps): JSX.Element {
	const { draft, required, onChange } = props;
	return (
		<Field
			{...common(props)}
			control={(attributes) => (
				<select
					{...attributes}
					value={textOf(draft)}
					onChange={({ currentTarget: { value } }) =>
						onChange(value === "" ? undefined : value === "true")
					}
				>
					<option value="">{required ? "No, unless chosen" : "Left out"}</option>
					<option value="true">Yes</option>
					<option value="false">No</option>
				</select>
			)}
		/>
	);
}

function EnumField(props: ShapeProps<"enum">): JSX.Element {
	const { shape, draft, required, onChange } = props;
	return (
		<Field
			{...common(props)}
			control={(attributes) => (
				<select
					{...attributes}
					value={typeof draft === "string" ? draft : ""}
					onChange={(event) => onChange(event.currentTarget.value)}
				>
					<option value="">{required ? "Choose one" : "Left out"}</option>
					{shape.options.map((option, at) => (
						<option key={String(at)} value={String(at)}>
							{plain(typeof option === "string" ? option : JSON.stringify(option), 120)}
						</option>
					))}
				</select>
			)}
		/>
	);
}

function UnionField(props: ShapeProps<"union">): JSX.Element {
	const { shape, draft, mistakes, path, label, required, onChange } = props;
	const chosen =
		typeof draft === "object" && "option" in draft ? draft : { option: 0, draft: undefined };
	const option = shape.options[chosen.option];
	const pick = (at: number) => {
		const next = shape.options[at];
		onChange({ option: at, draft: next === undefined ? undefined : draftOf(next) });
	};
	return (
		<fieldset>
			<legend>{label}</legend>
			<Field
				{...common(props)}
				label={`How ${label} is given`}
				control={(attributes) => (
					<select
						{...attributes}
						value={String(chosen.option)}
						onChange={(event) => pick(Number(event.currentTarget.value))}
					>
						{shape.options.map((one, at) => (
							<option key={String(at)} value={String(at)}>
								{plain(one.about.title ?? wordOf(one), 80)}
							</option>
						))}
					</select>
				)}
			/>
			{option === undefined ? null : (
				<ShapeField
					shape={option}
					draft={chosen.draft}
					path={path}
					label={plain(option.about.title ?? label, 100)}
					required={required}
					mistakes={mistakes}
					onChange={(next) => onChange({ option: chosen.option, draft: next })}
				/>
			)}
		</fieldset>
	);
}

function ListField(props: ShapeProps<"list">): JSX.Element {
	const { shape, draft, mistakes, path, label, onChange } = props;
	const items = typeof draft === "object" && "items" in draft ? draft.items : [];
	const { hint, error } = common(props);
	return (
		<fieldset>
			<legend>
				{label} <span class="muted">{counted(items.length, "item")}</span>
			</legend>
			{hint === undefined ? null : <p class="hint">{hint}</p>}
			{error === undefined ? null : <p class="error">{error}</p>}
			{items.map((item, at) => (
				<div class="row top-aligned" key={String(at)}>
					<div class="grow">
						<ShapeField
							shape={shape.item}
							draft={item}
							path={`${path}.${at}`}
							label={`${label} ${at + 1}`}
							required
							mistakes={mistakes}
							onChange={(next) => onChange({ items: items.with(at, next) })}
						/>
					</div>
					<Button
						icon="close"
						kind="quiet"
						label={`Remove ${label} ${at + 1}`}
						onClick={() => onChange({ items: items.toSpliced(at, 1) })}
					/>
				</div>
			))}
			<div>
				<Button icon="add" onClick={() => onChange({ items: [...items, draftOf(shape.item)] })}>
					{`Add to ${label}`}
				</Button>
			</div>
		</fieldset>
	);
}

function Group(props: ShapeProps): JSX.Element {
	const { hint } = common(props);
	return (
		<fieldset>
			<legend>{props.label}</legend>
			{hint === undefined ? null : <p class="hint">{hint}</p>}
			<ObjectForm {...props} />
			{props.required || !isNested(props.shape) ? null : (
				<div>
					<Button kind="quiet" onClick={() => props.onChange(undefined)}>
						{`Leave ${props.label} out`}
					</Button>
				</div>
			)}
		</fieldset>
	);
}

function wordOf(shape: Shape): string {
	if (shape.kind === "const") return JSON.stringify(shape.value);
	return shape.kind === "list" ? "a list" : shape.kind === "json" ? "JSON" : `a ${shape.kind}`;
}
