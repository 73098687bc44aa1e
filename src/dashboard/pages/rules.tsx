import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, type Reply } from "../lib/api.ts";
import { parseExact } from "../lib/exact-json.ts";
import { placed } from "../lib/fields.ts";
import { plain } from "../lib/format.ts";
import { useAction, useQuery } from "../lib/query.ts";
import { isObject } from "../lib/tools.ts";
import { Line, listOf } from "../ui/line.tsx";
import { Badge, Button, Field, Loading, Problem } from "../ui/parts.tsx";

type Answer = Reply<"testPolicy">;
type Rules = Reply<"getPolicy">;

/** The rules that decide calls, and a way to ask them. */
export function RulesTab(): JSX.Element {
	const { value, problem } = useQuery("getPolicy", { on: ["reloaded"] });
	if (value === undefined)
		return problem === undefined ? <Loading /> : <Problem problem={problem} />;
	return (
		<div class="split">
			<Tester rules={value} />
			<RuleList rules={value} />
		</div>
	);
}

function RuleList({ rules }: { rules: Rules }): JSX.Element {
	return (
		<section class="card">
			<h2>Rules</h2>
			<p class="muted">
				Profile {rules.profile}. What no rule is about is{" "}
				{rules.default === "allow" ? "allowed" : "denied"}; tools of unknown risk are{" "}
				{rules.unclassified === "allow" ? "allowed" : "denied"}.
			</p>
			{rules.rules.length === 0 ? <p>There are no rules in the configuration.</p> : null}
			{rules.rules.map((rule) => (
				<div class="stack tight" key={`${rule.line}-${rule.name}`}>
					<h3>{plain(rule.name)}</h3>
					<p class="small">
						Line {rule.line}: {plain(rule.about, 400)}
					</p>
					{rule.when === undefined ? null : <code>{plain(rule.when, 1_000)}</code>}
					<p class="small muted">
						Then {rule.then}, else {rule.else}.
					</p>
				</div>
			))}
		</section>
	);
}

/** What the question consists of, as it was typed. */
interface Fields {
	readonly who: string;
	readonly roles: string;
	readonly tool: string;
	readonly args: string;
}

/** What is wrong with each of them. */
type Mistaken = Partial<Readonly<Record<keyof Fields, string | undefined>>>;

function Question(props: {
	rules: Rules;
	wrong: Mistaken;
	fields: Fields;
	onChange(fields: Fields): void;
}): JSX.Element {
	const { rules, wrong, fields, onChange } = props;
	return (
		<>
			<Line
				label="Who"
				optional
				hint="Tenant and user, such as acme/ana."
				error={wrong.who}
				value={fields.who}
				onChange={(who) => onChange({ ...fields, who })}
			/>
			<Line
				label="With the roles"
				optional
				error={wrong.roles}
				value={fields.roles}
				onChange={(roles) => onChange({ ...fields, roles })}
			/>
			<Field
				label="Calls"
				control={(attributes) => (
					<select
						{...attributes}
						value={fields.tool}
						onChange={(event) => onChange({ ...fields, tool: event.currentTarget.value })}
					>
						<option value="">Choose a tool</option>
						{rules.tools.map((one) => (
							<option key={`${one.server} ${one.tool}`} value={`${one.server} ${one.tool}`}>
								{plain(`${one.server} ${one.tool}`, 100)} ({one.risk})
							</option>
						))}
					</select>
				)}
			/>
			<Field
				label="With the arguments"
				optional
				hint="As a JSON object."
				error={wrong.args}
				control={(attributes) => (
					<textarea
						{...attributes}
						spellcheck={false}
						value={fields.args}
						onInput={(event) => onChange({ ...fields, args: event.currentTarget.value })}
					/>
				)}
			/>
		</>
	);
}

/** "May Ana call billing__refund with these arguments, and why?" */
function Tester({ rules }: { rules: Rules }): JSX.Element {
	const [fields, setFields] = useState<Fields>({ who: "", roles: "", tool: "", args: "" });
	const { who, roles, tool, args } = fields;
	const [answer, setAnswer] = useState<Answer | undefined>(undefined);
	const odd_who = who.trim() !== "" && !/^[^/]+\/[^/]+$/.test(who.trim());
	const odd_args = args.trim() !== "" && parsed(args) === undefined;
	const test = useAction(async () => {
		const [tenant = "", user = ""] = who.trim().split("/");
		const [server = "", name = ""] = tool.split(" ");
		const principal = {
			...(tenant === "" ? {} : { tenant }),
			...(user === "" ? {} : { user }),
			...(roles.trim() === "" ? {} : { roles: listOf(roles) }),
		};
		const body = {
			server,
			tool: name,
			...(Object.keys(principal).length === 0 ? {} : { principal }),
			...(args.trim() === "" ? {} : { arguments: parsed(args) }),
		};
		setAnswer(await call("testPolicy", { body }));
	});
	const { at, rest } = placed(test.problem, ["principal.roles", "principal", "arguments"]);
	const wrong = {
		who: odd_who ? "Write it as tenant/user." : at.principal,
		roles: at["principal.roles"],
		args: odd_args ? "This is no JSON object." : at.arguments,
	};
	const why_not =
		tool === ""
			? "Choose a tool first."
			: odd_who
				? "Correct who calls."
				: odd_args
					? "Correct the arguments."
					: undefined;
	return (
		<section class="card" aria-label="Ask the rules">
			<h2>Ask the rules</h2>
			<Question rules={rules} wrong={wrong} fields={fields} onChange={setFields} />
			<Problem problem={rest} />
			<div>
				<Button kind="main" busy={test.busy} why_not={why_not} onClick={() => void test.run()}>
					May they?
				</Button>
			</div>
			{answer === undefined ? null : <AnswerView answer={answer} />}
		</section>
	);
}

const words: Readonly<Record<string, string>> = {
	allow: "Yes",
	deny: "No",
	limit: "Not now",
	ask: "A person is asked",
};

function AnswerView({ answer }: { answer: Answer }): JSX.Element {
	return (
		<div class="stack tight" aria-live="polite">
			<p>
				<Badge tone={answer.decision}>{words[answer.decision] ?? answer.decision}</Badge>{" "}
				{answer.rule === undefined ? "" : `by ${plain(answer.rule, 200)}`}
			</p>
			{answer.message === undefined ? null : <p>{plain(answer.message, 600)}</p>}
			<p class="muted small">
				{answer.listed ? "Lists show it to them." : "Lists do not show it to them."}
			</p>
			<ul class="stack tight">
				{answer.rules.map((rule) => (
					<li key={`${rule.line}-${rule.name}`} class="small">
						<strong>{plain(rule.name)}</strong>: {rule.outcome}. {plain(rule.note, 400)}
					</li>
				))}
				{answer.checks.map((check) => (
					<li key={check.name} class="small">
						<strong>{plain(check.name)}</strong>: {check.decision}
						{check.message === undefined ? "" : `. ${plain(check.message, 400)}`}
					</li>
				))}
			</ul>
		</div>
	);
}

function parsed(text: string): Record<string, unknown> | undefined {
	try {
		const value = parseExact(text);
		return isObject(value) ? value : undefined;
	} catch {
		return undefined;
	}
}
