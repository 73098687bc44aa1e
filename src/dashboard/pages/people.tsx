import type { ComponentType, JSX } from "preact";
import { linkTo, type Place } from "../lib/router.ts";
import { PageHead, Tabs } from "../ui/parts.tsx";
import { AccountsTab } from "./people-accounts.tsx";
import { GrantsTab, OAuthClientsTab } from "./people-clients.tsx";
import { KeysTab } from "./people-keys.tsx";
import { SessionsTab } from "./people-sessions.tsx";
import { TenantsTab } from "./people-tenants.tsx";
import { UsersTab } from "./people-users.tsx";
import { RulesTab } from "./rules.tsx";

const tabs = [
	{ id: "users", title: "People", tab: UsersTab },
	{ id: "tenants", title: "Tenants", tab: TenantsTab },
	{ id: "keys", title: "API keys", tab: KeysTab },
	{ id: "clients", title: "OAuth clients", tab: OAuthClientsTab },
	{ id: "grants", title: "Grants", tab: GrantsTab },
	{ id: "accounts", title: "Accounts elsewhere", tab: AccountsTab },
	{ id: "sessions", title: "Sessions", tab: SessionsTab },
	{ id: "rules", title: "Rules", tab: RulesTab },
] as const satisfies readonly { tab: ComponentType<{ place: Place }>; id: string; title: string }[];

/** Who may call, with what, and what they have allowed. */
export function PeoplePage({ place }: { place: Place }): JSX.Element {
	const current = tabs.find(({ id }) => id === place.parts[1]) ?? tabs[0];
	const Tab: ComponentType<{ place: Place }> = current.tab;
	return (
		<>
			<PageHead title="People and access" about="Who may call, with what, and what they allowed." />
			<Tabs
				label="Kinds of access"
				tabs={tabs}
				current={current.id}
				href={(id) => linkTo("people", id)}
			/>
			<Tab place={place} />
		</>
	);
}
