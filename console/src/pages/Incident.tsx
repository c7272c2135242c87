import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { api, must, type Schemas } from "../api/client";
import { incidentQuery } from "../api/queries";
import { Act, Consequence } from "../parts/Act";
import { Legs } from "../parts/Legs";
import { Mark, State } from "../parts/Mark";
import { Empty, Page, Panel, ProblemNotice, Skeleton, SkeletonLines } from "../parts/Page";
import { span } from "../parts/time";
import { TimelineItems } from "../parts/Timeline";
import { Untrusted } from "../parts/Untrusted";
import { When } from "../parts/When";
import { ACTION_STATES, ACTIONS, fact, INCIDENT_STATES, PROVENANCES, SEVERITIES } from "../parts/words";

/// What happened, what was done, and can it be undone?
export function Incident() {
  const { id } = useParams({ from: "/gate/incidents/$id" });
  const query = useQuery(incidentQuery(id));
  const incident = query.data;
  return (
    <Page
      title={incident?.title ?? "Incident"}
      crumb={<Link to="/incidents">Incidents</Link>}
      question="What happened, and what was done?"
      tone={incident && (incident.state === "closed" ? "calm" : SEVERITIES[incident.severity].tone)}
      answer={incident ? <Untrusted text={sentence(incident.title)} /> : query.error ? "Not known." : <Skeleton width="24ch" height={26} />}
      more={
        incident && (
          <span className="row wrap">
            <State tone={INCIDENT_STATES[incident.state].tone}>{INCIDENT_STATES[incident.state].word}</State>
            {incident.acknowledgedBy && incident.state !== "closed" && <span><Untrusted text={incident.acknowledgedBy} /></span>}
            <span>{SEVERITIES[incident.severity].word} severity, {PROVENANCES[incident.provenance].word}, opened <When at={incident.openedAt} /></span>
            {incident.device && <Link to="/devices/$id" params={{ id: incident.device }} className="mono">{incident.device}</Link>}
            {incident.rollout && <Link to="/rollouts/$id" params={{ id: incident.rollout }}>the rollout</Link>}
            {incident.authority && <Link to="/certificates">the certificates of {incident.authority}</Link>}
          </span>
        )
      }
      actions={incident && <Actions incident={incident} />}
    >
      {query.error && !incident && <ProblemNotice error={query.error} retry={() => void query.refetch()} />}
      {incident && <Course incident={incident} />}
      <div className="halves">
        <Panel title="Evidence" flush>
          {!incident ? <SkeletonLines /> : incident.evidence.length === 0 ? <div className="body quiet">No finding is attached; the history says what led to it.</div> : incident.evidence.map((finding, i) => <Evidence key={finding.id ?? i} finding={finding} />)}
        </Panel>
        <Panel title="What was done" flush>
          {!incident ? <SkeletonLines /> : incident.actions.length === 0 ? <Empty title="Nothing was done."><p className="quiet">Findings that are only claimed never act by themselves. You can isolate the device from its page.</p></Empty> : incident.actions.map((action) => <Action key={action.id} action={action} />)}
        </Panel>
      </div>
      {incident && incident.history.length > 0 && (
        <Panel title="History" flush>
          <TimelineItems items={incident.history} />
        </Panel>
      )}
    </Page>
  );
}

const sentence = (title: string) => (/[.!?]$/.test(title) ? title : `${title}.`);

/// From the hostile act to the cut, on one line, with the times between.
function Course({ incident }: { incident: Schemas["Incident"] }) {
  const acted = incident.actions.find((a) => a.doneAt && a.kind !== "notify");
  const act = incident.hostileActAt ?? incident.evidence.map((f) => f.at).sort()[0];
  // Once it was undone, the leg's time is that of the undoing.
  const session = acted?.legs?.session;
  const cut = session?.state === "enforced" ? session.at : acted?.doneAt;
  const steps = [
    { name: incident.rollout ? "first failure" : "hostile act", at: act },
    { name: "incident", at: incident.openedAt },
    { name: "session cut", at: acted && acted.kind !== "halt-rollout" && acted.kind !== "roll-back" ? cut : undefined },
    { name: acted?.legs?.network.state === "enforced" ? "network cut" : "done", at: acted?.legs?.network.state === "enforced" ? acted.legs.network.at : acted?.doneAt },
    { name: "closed", at: incident.closedAt },
  ].filter((s): s is { name: string; at: string } => s.at !== undefined);
  if (steps.length < 2) return null;
  const total = act && cut ? Date.parse(cut) - Date.parse(act) : undefined;
  return (
    <Panel title="Course" tools={total !== undefined && total >= 0 && !incident.rollout ? <strong>{span(total)} from hostile act to cut</strong> : undefined}>
      <ol className="course">
        {steps.map((step, i) => {
          const before = steps[i - 1];
          return (
            <li key={step.name}>
              <span className="course-step">{step.name}</span>
              <span className="small quiet">{before ? `+${span(Math.max(0, Date.parse(step.at) - Date.parse(before.at)))}` : <When at={step.at} />}</span>
            </li>
          );
        })}
      </ol>
    </Panel>
  );
}

function Evidence({ finding }: { finding: Schemas["Finding"] }) {
  const provenance = PROVENANCES[finding.provenance];
  return (
    <article className="evidence">
      <div className="row between wrap">
        <h3>{fact(finding.cause)}</h3>
        <span className="row">
          <State tone={SEVERITIES[finding.severity].tone}>{SEVERITIES[finding.severity].word}</State>
          <span className="chip" title={provenance.meaning}>{provenance.word}</span>
        </span>
      </div>
      <dl className="kv">
        <dt>Expected</dt>
        <dd><Untrusted text={finding.expected} /></dd>
        <dt>Seen</dt>
        <dd><strong><Untrusted text={finding.seen} /></strong></dd>
        <dt>Since</dt>
        <dd><When at={finding.since} /></dd>
        <dt>Known how</dt>
        <dd className="quiet">{provenance.meaning}</dd>
      </dl>
    </article>
  );
}

function Action({ action }: { action: Schemas["IncidentAction"] }) {
  const state = ACTION_STATES[action.state];
  return (
    <article className="evidence">
      <div className="row between wrap">
        <h3>{ACTIONS[action.kind]}</h3>
        <State tone={state.tone}>{state.word}</State>
      </div>
      <p className="quiet">
        <Untrusted text={action.reason} />. {action.automatic ? "By itself" : "By a person"}, <When at={action.doneAt ?? action.plannedAt} />
        {action.until && action.state === "done" && <>; ends by itself <When at={action.until} /></>}.
      </p>
      {action.waitsBecause && <div className="notice watch"><Mark tone="watch" /><span>A person must approve: <Untrusted text={action.waitsBecause} />.</span></div>}
      {action.legs && <Legs legs={action.legs} />}
    </article>
  );
}

function Actions({ incident }: { incident: Schemas["Incident"] }) {
  const params = (key: string) => ({ params: { path: { id: incident.id }, header: { "Idempotency-Key": key } } });
  const which = incident.device ? <code>{incident.device}</code> : "this incident";
  const waiting = incident.actions.find((a) => a.state === "awaiting-approval");
  const limit = incident.actions.find((a) => a.until)?.until;
  return (
    <>
      {waiting && (
        <Act
          label="Approve"
          primary
          title={`Approve: ${ACTIONS[waiting.kind].toLowerCase()}`}
          confirm="Approve"
          preview={<Consequence many={incident.device ? "1 device" : "what this incident names"} which={which} until={waiting.until ? <When at={waiting.until} /> : "its time limit, then it ends by itself"} undo="Undo, on this page." also={waiting.waitsBecause && <><dt>It waits</dt><dd>because {waiting.waitsBecause}</dd></>} />}
          act={(reason, key) => must(api.POST("/incidents/{id}/approve", { ...params(key), body: { reason } }))}
          done="Approved."
        />
      )}
      {incident.canUndo && (
        <Act
          label="Undo"
          title="Take back what was done"
          confirm="Undo"
          preview={<Consequence many={incident.device ? "1 device" : "what this incident did"} which={which} until={limit ? <>it would have ended by itself <When at={limit} /></> : "no limit"} undo="Isolate the device again from its page." also={incident.undoSentence && <><dt>Effect</dt><dd>{incident.undoSentence}</dd></>} />}
          act={(reason, key) => must(api.POST("/incidents/{id}/undo", { ...params(key), body: { reason } }))}
          done="Undone."
        />
      )}
      {(incident.state === "open" || incident.state === "awaiting-approval") && (
        <Act
          label="I have it"
          title="Take this incident"
          confirm="I have it"
          suggestion="looking into it"
          preview={<p className="quiet">Tells the others that somebody is on it. Nothing changes for the device.</p>}
          act={(reason, key) => must(api.POST("/incidents/{id}/acknowledge", { ...params(key), body: { reason } }))}
          done="You have it."
        />
      )}
      {incident.state !== "closed" && (
        <Act
          label="Close"
          title="Close this incident"
          confirm="Close"
          preview={<p className="quiet">What was done to the device stays as it is; undo it first if it should not. A new finding opens a new incident.</p>}
          act={(reason, key) => must(api.POST("/incidents/{id}/close", { ...params(key), body: { reason } }))}
          done="The incident is closed."
        />
      )}
    </>
  );
}
