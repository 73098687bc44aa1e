import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, type Reply } from "../lib/api.ts";
import { now } from "../lib/clock.ts";
import { plain, relative } from "../lib/format.ts";
import { useAction, useQuery } from "../lib/query.ts";
import { useSession, whyNot } from "../lib/session.ts";
import { ListTools, More, useListed } from "../ui/listed.tsx";
import { Button, Confirm, Empty, Loading, Problem } from "../ui/parts.tsx";
import { tell } from "../ui/toasts.tsx";

type Account = Reply<"listUpstreamGrants">["grants"][number];

const outcomes: Readonly<
	Record<Reply<"revokeUpstreamGrant">["issuers"][number]["outcome"], string>
> = {
	revoked: "takes the tokens no more",
	not_offered: "cannot be told: end it there, too",
	failed: "could not be told: end it there, too",
	queued: "is told by the next gateway",
};

/** The accounts at other services that people have connected, and ending the use of one. */
export function AccountsTab(): JSX.Element {
	const { value, problem, reload } = useQuery("listUpstreamGrants", { every_ms: 30_000 });
	const why_not = whyNot(useSession(), "operator");
	const [ending, setEnding] = useState<Account | undefined>(undefined);
	const list = useListed(value?.grants ?? [], wordsOf);
	if (value === undefined)
		return problem === undefined ? <Loading /> : <Problem problem={problem} />;
	if (value.grants.length === 0) {
		return (
			<Empty title="No account is connected yet">
				<p>
					Servers with <code>auth: oauth</code> work with accounts at other services. People connect
					theirs under “My connections”, or when a call first needs one.
				</p>
			</Empty>
		);
	}
	return (
		<div class="stack">
			<ListTools list={list} what="accounts" label="Find an account" />
			<div class="table-box" tabIndex={0} role="region" aria-label="Accounts elsewhere">
				<table>
					<thead>
						<tr>
							<th scope="col">Whose</th>
							<th scope="col">Server</th>
							<th scope="col">Given by</th>
							<th scope="col">For</th>
							<th scope="col">Connected</th>
							<th scope="col">
								<span class="sr">What can be done</span>
							</th>
						</tr>
					</thead>
					<tbody>
						{list.shown.map((one) => (
							<tr key={`${whoseOf(one)} ${one.server} ${one.issuer}`}>
								<td class="wrap">{plain(whoseOf(one))}</td>
								<td class="wrap">{plain(one.server)}</td>
								<td class="wrap">{plain(one.issuer, 200)}</td>
								<td class="wrap">{plain(one.scopes.join(", ") || "–", 300)}</td>
								<td>{relative(one.created_at_ms, now())}</td>
								<td class="right">
									<Button
										kind="quiet"
										label={`Disconnect ${plain(whoseOf(one))} from ${plain(one.server)}`}
										why_not={why_not}
										onClick={() => setEnding(one)}
									>
										Disconnect
									</Button>
								</td>
							</tr>
						))}
					</tbody>
				</table>
			</div>
			<More list={list} />
			{ending === undefined ? null : (
				<EndAccount account={ending} onClose={() => setEnding(undefined)} onDone={reload} />
			)}
		</div>
	);
}

/** Nobody's tenant is the gateway's own account; nobody's name that of a whole tenant. */
function whoseOf({ tenant, user }: Account): string {
	if (tenant === "") return "the gateway itself";
	return user === "" ? `everybody of ${tenant}` : `${tenant}/${user}`;
}

function wordsOf(account: Account): string {
	return [whoseOf(account), account.server, account.issuer, ...account.scopes].join(" ");
}

function EndAccount(props: { account: Account; onClose(): void; onDone(): void }): JSX.Element {
	const { account, onClose, onDone } = props;
	const { server, tenant, user } = account;
	const end = useAction(async () => {
		const query = { tenant, user };
		const { issuers } = await call("revokeUpstreamGrant", { path: { server }, query });
		const told = issuers.map(
			({ issuer, outcome }) => `${plain(issuer, 120)} ${outcomes[outcome]}.`,
		);
		tell([`${plain(server)} is disconnected.`, ...told].join(" "));
		onDone();
		onClose();
	});
	return (
		<Confirm
			title={`Disconnect ${plain(server)}?`}
			verb="Disconnect"
			busy={end.busy}
			problem={end.problem}
			onConfirm={() => void end.run()}
			onClose={onClose}
		>
			<p>
				The tokens of {plain(whoseOf(account))} at {plain(server)} are forgotten and the service is
				told. The next call that needs them asks to connect again.
			</p>
		</Confirm>
	);
}
