import type { SwitchChange, Switches } from "../../gateway/switches.ts";
import { KillSwitches, refusalOf } from "../../policy/kill-switches.ts";
import { coversCaller } from "../../policy/kill-target.ts";
import { SqlKillSwitchRepository } from "../../store/kill-switch-repository.ts";
import type { Wing, WingParts } from "../wings.ts";

/** What is switched off: the first check of every call, and the end of those in flight. */
export class OffSwitchWing implements Wing {
	readonly kill_switches: KillSwitches;
	readonly switches: Switches;
	readonly checks;

	constructor({ options, connection, live, hosting, originOf }: WingParts) {
		const { clock, log } = options;
		const kill_switches = new KillSwitches({
			clock,
			repository: new SqlKillSwitchRepository(connection),
			originOf,
			onTrouble: (error) => log.error({ err: error }, "an off switch could not be stored"),
		});
		this.kill_switches = kill_switches;
		this.checks = [kill_switches];
		this.switches = {
			callerRefusal: (who) => kill_switches.callerRefusal(who),
			personRefusal: (who) => kill_switches.personRefusal(who),
			isServerOff: (server) => kill_switches.isServerOff(server),
			serverRefusal: (server) => kill_switches.serverRefusal(server),
			onChange(listener) {
				kill_switches.onChange(({ kind, kill_switch }) => {
					const off = refusalOf(kill_switch);
					const is_on = kind === "killed";
					const change: SwitchChange = {
						kind,
						stops: (call) => (is_on && kill_switches.covers(kill_switch, call) ? off : undefined),
						isAbout: (who) => coversCaller(kill_switch, who),
					};
					listener(change);
				});
			},
		};
		kill_switches.onChange(() => {
			// Those that are off end what they were about to start; those that are on again begin.
			for (const { name } of hosting.statuses()) hosting.reconsider(name);
		});
		kill_switches.onChange(({ kind, kill_switch }) => {
			const { id, reason, set_by } = kill_switch;
			log.warn({ kill_switch: id, reason, by: set_by }, `something was ${kind}`);
			live.publish("kill_switch", { kind, id, reason });
		});
	}

	/** Rejects where the store cannot be read: what was switched off must not be on again. */
	start(): Promise<void> {
		return this.kill_switches.restore();
	}

	stop(): void {
		this.kill_switches.close();
	}
}
