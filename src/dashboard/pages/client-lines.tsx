import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useQuery } from "../lib/query.ts";
import { Copyable, Field, Loading, Problem } from "../ui/parts.tsx";

/** How each client is connected to an endpoint. */
export function ClientLines({ endpoint }: { endpoint: string }): JSX.Element {
	const { value, problem } = useQuery("listClients", { query: { endpoint } });
	const [id, setId] = useState("claude-code");
	const client = value?.clients.find((one) => one.id === id) ?? value?.clients[0];
	const address = `${window.location.origin}${endpoint === "mcp" ? "" : `/${endpoint}`}/mcp`;
	return (
		<div class="stack">
			<div class="field">
				<strong>Address</strong>
				<Copyable text={address} label="the address" />
			</div>
			<Problem problem={problem} />
			{value === undefined && problem === undefined ? <Loading /> : null}
			{value === undefined || client === undefined ? null : (
				<>
					<Field
						label="Client"
						control={(attributes) => (
							<select
								{...attributes}
								value={client.id}
								onChange={(event) => setId(event.currentTarget.value)}
							>
								{value.clients.map((one) => (
									<option key={one.id} value={one.id}>
										{one.title}
									</option>
								))}
							</select>
						)}
					/>
					<div class="field">
						<strong>On the gateway's own machine</strong>
						<Copyable text={client.command} label="the command" />
					</div>
					<div class="field">
						<strong>Or paste into {client.file}</strong>
						<Copyable block text={client.snippet} label="the entry" />
					</div>
				</>
			)}
		</div>
	);
}
