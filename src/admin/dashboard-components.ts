import type { z } from "zod";
import * as files from "./contracts/config-file.ts";
import * as fleet from "./contracts/fleet.ts";
import * as play from "./contracts/playground.ts";
import * as session from "./contracts/session.ts";

/** Component names of the schemas of the dashboard's operations. */
export const dashboard_components: Readonly<Record<string, z.ZodType>> = {
	OpenSession: session.open_session_schema,
	SignInWays: session.sign_in_ways_schema,
	Session: session.session_schema,
	SessionSummary: session.session_summary_schema,
	Sessions: session.sessions_schema,
	DashboardLink: session.link_schema,
	MyServers: session.my_servers_schema,
	Ended: session.ended_schema,
	SignedOut: session.signed_out_schema,
	Fleet: fleet.fleet_schema,
	FleetServer: fleet.fleet_server_schema,
	Traffic: fleet.traffic_schema,
	ConfigFile: files.config_file_schema,
	ConfigText: files.config_text_schema,
	Pasted: files.pasted_schema,
	Proposal: files.proposal_schema,
	ProposedServer: files.proposed_server_schema,
	ClientLine: files.client_line_schema,
	ClientLines: files.client_lines_schema,
	PlayRequest: play.play_schema,
	PlayAnswer: play.answer_schema,
	PlayAnswered: play.answered_schema,
	AppFrameRequest: play.app_frame_schema,
	AppFrame: play.framed_schema,
};
