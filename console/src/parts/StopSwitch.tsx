import { useQuery } from "@tanstack/react-query";
import { api, must } from "../api/client";
import { overviewQuery, stopSwitchQuery } from "../api/queries";
import { StopIcon } from "../shell/icons";
import { Act, Consequence } from "./Act";
import { Mark, State } from "./Mark";
import { Skeleton } from "./Page";
import { many } from "./time";
import { Untrusted } from "./Untrusted";
import { When } from "./When";

/// The one switch that stops every rollout and every rollback.
export function StopSwitch() {
  const stop = useQuery(stopSwitchQuery);
  const overview = useQuery(overviewQuery);
  const active = overview.data?.rollouts ?? [];
  if (!stop.data) return <Skeleton height={44} />;
  const set = (stopped: boolean) => (reason: string) => must(api.PUT("/stop-switch", { body: { stopped, reason } }));
  const which = active.length === 0 ? "none is under way now; none can begin" : active.map((r) => `${r.model} ${r.version}`).join(", ");
  return stop.data.stopped ? (
    <div className="notice bad switch">
      <Mark tone="bad" />
      <div className="grow stack-s">
        <strong>Everything is stopped.</strong>
        <span className="quiet">
          {stop.data.reason && <Untrusted text={stop.data.reason} />}
          {stop.data.by && <>, by <Untrusted text={stop.data.by} /></>}
          {stop.data.since && <>, <When at={stop.data.since} /></>}
        </span>
      </div>
      <Act
        label="Let it go on"
        title="Let rollouts and rollbacks go on"
        confirm="Let it go on"
        preview={<Consequence many={many(active.length, "rollout")} which={which} until="each ends by its own plan" undo="Stop everything again, here." />}
        act={set(false)}
        done="Rollouts and rollbacks may go on."
      />
    </div>
  ) : (
    <div className="notice good switch">
      <div className="grow stack-s">
        <span><State tone="good">Rollouts may run.</State></span>
        <span className="quiet small">One switch stops every rollout and every rollback, for all devices at once. Single rollouts are paused on their pages.</span>
      </div>
      <Act
        label="Stop everything"
        icon={<StopIcon />}
        danger
        title="Stop every rollout and every rollback"
        confirm="Stop everything"
        preview={
          <Consequence
            many={many(active.length, "rollout")}
            which={which}
            until="a person lets it go on"
            undo="“Let it go on”, here: nothing is lost, each goes on where it stood."
            also={<><dt>Effect</dt><dd>From now on no device is offered anything, cures included. Bytes that are on their way end within 2 s.</dd></>}
          />
        }
        act={set(true)}
        done="Everything is stopped."
      />
    </div>
  );
}
