import type { JSX } from "preact";
import { linkTo, type Place } from "../lib/router.ts";
import { PageHead, Tabs } from "../ui/parts.tsx";
import { GrantsTab, OAuthClientsTab } from "./people-clients.tsx";
import { KeysTab } from "./people-keys.tsx";
import { UsersTab } from "./people-users.tsx";
import { RulesTab } from "./rules.tsx";

const tabs = [
	{ id: "users", title: "People", tab: UsersTab },
	{ id: "keys", title: "API keys", tab: KeysTab },
	{ id: "clients", title: "OAuth clients", tab: OAuthClientsTab },
	{ id: "grants", title: "Grants", tab: GrantsTab },
	{ id: "rules", title: "Rules", tab: RulesTab },
] as const;

/** Who may call, with what, and what they have allowed. */
export function PeoplePage({ place }: { place: Place }): JSX.Element {
	const current = tabs.find(({ id }) => id === place.parts[1]) ?? tabs[0];
	const Tab = current.tab;
	return (
		<>
			<PageHead title="People and access" about="Who may call, with what, and what they allowed." />
			<Tabs
				label="Kinds of access"
				tabs={tabs}
				current={current.id}
				href={(id) => linkTo("people", id)}
			/>
			<Tab />
		</>
	);
}
