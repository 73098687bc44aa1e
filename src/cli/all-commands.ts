import type { Command } from "./command.ts";
import { add_command } from "./commands/add.ts";
import { alerts_command } from "./commands/alerts.ts";
import { apply_command } from "./commands/apply.ts";
import { approvals_command } from "./commands/approvals.ts";
import { approve_command, deny_command } from "./commands/approve.ts";
import { audit_command } from "./commands/audit.ts";
import { backup_command } from "./commands/backup.ts";
import { call_command } from "./commands/call.ts";
import { calls_command } from "./commands/calls.ts";
import { checklist_command } from "./commands/checklist.ts";
import { client_command } from "./commands/client.ts";
import { connect_command } from "./commands/connect.ts";
import { dashboard_command } from "./commands/dashboard.ts";
import { deploy_command } from "./commands/deploy.ts";
import { doctor_command } from "./commands/doctor.ts";
import { export_command } from "./commands/export.ts";
import { fork_command } from "./commands/fork.ts";
import { grant_command } from "./commands/grant.ts";
import { prompts_command, resources_command, tools_command } from "./commands/items.ts";
import { key_command } from "./commands/key.ts";
import { kill_command } from "./commands/kill.ts";
import { kills_command } from "./commands/kills.ts";
import { logs_command } from "./commands/logs.ts";
import { ls_command } from "./commands/ls.ts";
import { plan_command } from "./commands/plan.ts";
import { policy_command } from "./commands/policy.ts";
import { promote_command } from "./commands/promote.ts";
import { reload_command } from "./commands/reload.ts";
import { restart_command } from "./commands/restart.ts";
import { restore_command } from "./commands/restore.ts";
import { rm_command } from "./commands/rm.ts";
import { rollback_command } from "./commands/rollback.ts";
import { secret_command } from "./commands/secret.ts";
import { session_command } from "./commands/session.ts";
import { status_command } from "./commands/status.ts";
import { stdio_command } from "./commands/stdio.ts";
import { unkill_command } from "./commands/unkill.ts";
import { up_command } from "./commands/up.ts";
import { user_command } from "./commands/user.ts";
import { versions_command } from "./commands/versions.ts";

/** Every command, in the order of the help: what one does first comes first. */
export const all_commands: readonly Command[] = [
	up_command,
	connect_command,
	dashboard_command,
	ls_command,
	status_command,
	logs_command,
	tools_command,
	resources_command,
	prompts_command,
	call_command,
	add_command,
	rm_command,
	restart_command,
	plan_command,
	apply_command,
	reload_command,
	versions_command,
	deploy_command,
	rollback_command,
	fork_command,
	promote_command,
	calls_command,
	alerts_command,
	audit_command,
	backup_command,
	restore_command,
	export_command,
	stdio_command,
	user_command,
	secret_command,
	grant_command,
	key_command,
	client_command,
	session_command,
	approvals_command,
	approve_command,
	deny_command,
	kill_command,
	unkill_command,
	kills_command,
	policy_command,
	checklist_command,
	doctor_command,
];
