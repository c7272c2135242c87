import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { incidentsQuery } from "../api/queries";
import { Mark, State } from "../parts/Mark";
import { Empty, Page, Panel, Skeleton } from "../parts/Page";
import { Table } from "../parts/Table";
import { many } from "../parts/time";
import { Untrusted } from "../parts/Untrusted";
import { When } from "../parts/When";
import { fact, INCIDENT_STATES, PROVENANCES, SEVERITIES } from "../parts/words";

/// What is wrong, and does it need me?
export function Incidents() {
  const { scope = "open" } = useSearch({ from: "/gate/incidents" });
  const navigate = useNavigate();
  const query = useInfiniteQuery(incidentsQuery(scope));
  const rows = query.data?.pages.flatMap((page) => page.incidents);
  const open = rows?.filter((i) => i.state !== "closed") ?? [];
  const waiting = open.filter((i) => i.state === "awaiting-approval").length;
  const fresh = open.filter((i) => i.state === "open").length;
  return (
    <Page
      title="Incidents"
      question="What is wrong, and does it need me?"
      tone={rows ? (waiting > 0 || fresh > 0 ? "bad" : open.length > 0 ? "watch" : "good") : undefined}
      answer={!rows ? query.error ? "Not known." : <Skeleton width="20ch" height={26} /> : open.length === 0 ? "Nothing is open." : waiting > 0 ? `${many(waiting, "incident")} ${waiting === 1 ? "waits" : "wait"} for your approval.` : fresh > 0 ? `${many(fresh, "incident")} nobody has taken yet.` : "Somebody has every one of them."}
      more={open.length > 0 ? `${many(open.length, "incident")} open in all.` : undefined}
      actions={
        <div className="seg" role="group" aria-label="Which">
          <button type="button" aria-pressed={scope === "open"} onClick={() => void navigate({ to: "/incidents", search: {}, replace: true })}>Open</button>
          <button type="button" aria-pressed={scope === "all"} onClick={() => void navigate({ to: "/incidents", search: { scope: "all" }, replace: true })}>All</button>
        </div>
      }
    >
      <Panel title={<span className="sr">Incidents</span>} flush>
        <Table
          caption="Incidents"
          rows={rows}
          rowKey={(i) => i.id}
          pending={query.isFetching}
          error={query.error}
          retry={() => void query.refetch()}
          empty={
            <Empty title={scope === "open" ? "No incident is open." : "No incident yet."}>
              <p className="quiet">Detectors look at sessions, certificates, traffic, telemetry and silence. What they find becomes one incident per device and cause, with what was expected, what was seen, and what was done.</p>
            </Empty>
          }
          more={{ has: query.hasNextPage, busy: query.isFetchingNextPage, load: () => void query.fetchNextPage() }}
          columns={[
            { key: "severity", head: "Severity", phone: "hide", cell: (i) => <State tone={SEVERITIES[i.severity].tone}>{SEVERITIES[i.severity].word}</State> },
            { key: "title", head: "Incident", phone: "title", cell: (i) => <span className="row top"><span className="only-phone"><Mark tone={SEVERITIES[i.severity].tone} title={SEVERITIES[i.severity].word} /></span><Link className="key" to="/incidents/$id" params={{ id: i.id }}><Untrusted text={i.title} /></Link></span> },
            { key: "cause", head: "Cause", phone: "full", cell: (i) => <>{fact(i.cause)}, <span title={PROVENANCES[i.provenance].meaning}>{PROVENANCES[i.provenance].word}</span></> },
            { key: "action", head: "What was done", cell: (i) => (i.action ? <Untrusted text={i.action} /> : i.cause === "ROLLOUT_STOPPED" ? "the rollout was stopped" : <span className="quiet">nothing yet</span>) },
            { key: "state", head: "State", phone: "line", cell: (i) => <State tone={INCIDENT_STATES[i.state].tone}>{INCIDENT_STATES[i.state].word}</State> },
            { key: "opened", head: "Opened", phone: "side", cell: (i) => <When at={i.openedAt} /> },
          ]}
        />
      </Panel>
    </Page>
  );
}
