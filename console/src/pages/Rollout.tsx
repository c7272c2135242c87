import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api, must, type Schemas } from "../api/client";
import { rolloutDevicesQuery, rolloutQuery } from "../api/queries";
import { Act, Consequence } from "../parts/Act";
import { Mark, State } from "../parts/Mark";
import { Empty, Page, Panel, ProblemNotice, Skeleton, SkeletonLines } from "../parts/Page";
import { LANES, RolloutBar } from "../parts/RolloutBar";
import { Table } from "../parts/Table";
import { bytes, count, duration, many, span } from "../parts/time";
import { Untrusted } from "../parts/Untrusted";
import { When } from "../parts/When";
import { BATCH_STATES, ROLLOUT_DEVICE_STATES, ROLLOUT_STATES } from "../parts/words";

/// Is this release doing well, and what would stop it?
export function Rollout() {
  const { id } = useParams({ from: "/gate/rollouts/$id" });
  const query = useQuery(rolloutQuery(id));
  const rollout = query.data;
  return (
    <Page
      title={rollout ? `${rollout.model} ${rollout.version}` : "Rollout"}
      crumb={<Link to="/rollouts">Rollouts</Link>}
      question={rollout ? `Is ${rollout.model} ${rollout.version} doing well?` : "Is this release doing well?"}
      tone={rollout && ROLLOUT_STATES[rollout.state].tone}
      answer={rollout ? rollout.sentence : query.error ? "Not known." : <Skeleton width="24ch" height={26} />}
      more={
        rollout && (
          <>
            {rollout.stateReason && !rollout.sentence.includes(rollout.stateReason) && <>{rollout.stateReason}. </>}
            {!ROLLOUT_STATES[rollout.state].ended && rollout.gate.sentence}
            {rollout.incident && <> <Link to="/incidents/$id" params={{ id: rollout.incident }}>Its incident</Link>.</>}
          </>
        )
      }
      actions={rollout && <Actions rollout={rollout} />}
    >
      {query.error && !rollout && <ProblemNotice error={query.error} retry={() => void query.refetch()} />}
      <div className="cols">
        <div className="stack-l">
        <Panel
          title="Batches"
          flush
          footer={
            <div className="legend">
              {LANES.map(({ key, word }) => <span key={key}><span className={`swatch bar-${key}`} />{word}</span>)}
            </div>
          }
        >
          {rollout ? <ol className="lanes">{rollout.batches.map((batch) => <Lane key={batch.index} batch={batch} now={batch.index === rollout.currentBatch && !ROLLOUT_STATES[rollout.state].ended} />)}</ol> : <SkeletonLines />}
        </Panel>
          <Panel title="The plan">{rollout ? <Plan rollout={rollout} /> : <SkeletonLines />}</Panel>
        </div>
        <div className="stack-l">
          <Panel title="The gate">{rollout ? <Gate gate={rollout.gate} ended={ROLLOUT_STATES[rollout.state].ended} /> : <SkeletonLines />}</Panel>
          <Panel title="Exposure">{rollout ? <Exposure rollout={rollout} /> : <SkeletonLines />}</Panel>
        </div>
      </div>
      <Devices id={id} rollout={rollout} />
    </Page>
  );
}

function Lane({ batch, now }: { batch: Schemas["RolloutBatch"]; now: boolean }) {
  const { counts } = batch;
  return (
    <li className={`lane${now ? " now" : ""}`} aria-current={now ? "step" : undefined}>
      <div className="lane-head">
        <span className="lane-name">{batch.index + 1}. {batch.name}</span>
        <State tone={BATCH_STATES[batch.state].tone}>{BATCH_STATES[batch.state].word}</State>
      </div>
      <div className="stack-s">
        <RolloutBar counts={counts} tall />
        <div className="lane-counts small">
          {LANES.filter(({ key }) => counts[key] > 0).map(({ key, word }) => <span key={key}><b>{count(counts[key])}</b> {word}</span>)}
          <span className="quiet">of {count(counts.total)}</span>
          {batch.soakUntil && <span className="quiet">watched until <When at={batch.soakUntil} /></span>}
          {batch.endedAt ? <span className="quiet">ended <When at={batch.endedAt} /></span> : batch.startedAt && <span className="quiet">began <When at={batch.startedAt} /></span>}
        </div>
      </div>
    </li>
  );
}

/// The measurement against its threshold, to scale.
function Gate({ gate, ended }: { gate: Schemas["RolloutGate"]; ended: boolean }) {
  const share = gate.decided === 0 ? 0 : gate.failed / gate.decided;
  const scale = Math.max(gate.threshold * 2, share * 1.15, 0.02);
  const percent = (value: number) => `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} %`;
  const past = share > gate.threshold;
  return (
    <div className="stack">
      {!gate.enabled && <div className="notice bad"><Mark tone="bad" /><span>The gate is off by configuration: nothing stops this rollout by itself.</span></div>}
      <div>
        <div className="row between">
          <span className="gate-value">{percent(share)}</span>
          <span className="small quiet">{count(gate.failed)} of {count(gate.decided)} decided failed</span>
        </div>
        <div className="gauge" role="img" aria-label={`${percent(share)} failed, the threshold is ${percent(gate.threshold)}`}>
          <span className={past ? "gauge-fill past" : "gauge-fill"} style={{ width: `${(share / scale) * 100}%` }} />
          <span className="gauge-mark" style={{ left: `${(gate.threshold / scale) * 100}%` }} />
        </div>
        <div className="gauge-label small" style={{ paddingLeft: `${Math.min((gate.threshold / scale) * 100, 70)}%` }}>stops past {percent(gate.threshold)}</div>
      </div>
      <p>{gate.sentence}</p>
      {!ended && (
        <dl className="kv">
          {gate.failuresToStop !== undefined && <><dt>Failures left</dt><dd>{count(gate.failuresToStop)}</dd></>}
          <dt>Undecided</dt>
          <dd>{count(gate.undecided)} of at most {count(gate.inFlight)}</dd>
          <dt>Verdict</dt>
          <dd>{{ advance: <State tone="good">may advance</State>, wait: <State tone="unknown">waits for results</State>, pause: <State tone="watch">pauses</State>, "roll-back": <State tone="bad">rolls back</State> }[gate.verdict]}</dd>
        </dl>
      )}
    </div>
  );
}

function Exposure({ rollout }: { rollout: Schemas["Rollout"] }) {
  const { exposure } = rollout;
  return (
    <dl className="kv">
      <dt>Devices</dt>
      <dd>{count(exposure.devices)} took some of it</dd>
      {exposure.bytesServed !== undefined && <><dt>Served</dt><dd>{bytes(exposure.bytesServed)}</dd></>}
      {exposure.stoppedAt && <><dt>Stopped</dt><dd><When at={exposure.stoppedAt} />{exposure.stopCompleteAt && <>, complete after {span(Date.parse(exposure.stopCompleteAt) - Date.parse(exposure.stoppedAt))}</>}</dd></>}
      {exposure.bytesAfterStop !== undefined && <><dt>After the stop</dt><dd>{exposure.bytesAfterStop === 0 ? <State tone="good">0 B</State> : <State tone="bad">{bytes(exposure.bytesAfterStop)}</State>}</dd></>}
    </dl>
  );
}

function Plan({ rollout }: { rollout: Schemas["Rollout"] }) {
  const { plan } = rollout;
  return (
    <dl className="kv two">
      <dt>Devices</dt>
      <dd>{rollout.selector ? <code className="break">{rollout.selector}</code> : `all of model ${rollout.model}`}</dd>
      {plan.staging && <><dt>Staging</dt><dd><code className="break">{plan.staging}</code></dd></>}
      {plan.soak && <><dt>Batch watched</dt><dd>at least {duration(plan.soak)}</dd></>}
      {plan.healthWindow && <><dt>Healthy for</dt><dd>{duration(plan.healthWindow)}</dd></>}
      {plan.timeout && <><dt>Failed after</dt><dd>{duration(plan.timeout)} undecided</dd></>}
      {plan.window && <><dt>Only between</dt><dd>{plan.window.from} and {plan.window.to}, {plan.window.zone}</dd></>}
      {rollout.previousVersion && <><dt>Way back</dt><dd>{rollout.previousVersion}</dd></>}
      <dt>Because</dt>
      <dd><Untrusted text={rollout.reason} /></dd>
      <dt>Begun</dt>
      <dd><When at={rollout.createdAt} />{rollout.createdBy && <> by <Untrusted text={rollout.createdBy} /></>}</dd>
    </dl>
  );
}

function Actions({ rollout }: { rollout: Schemas["Rollout"] }) {
  const params = (key: string) => ({ params: { path: { id: rollout.id }, header: { "Idempotency-Key": key } } });
  const what = `${rollout.model} ${rollout.version}`;
  const { counts } = rollout;
  if (ROLLOUT_STATES[rollout.state].ended) return null;
  return (
    <>
      {rollout.state === "running" && (
        <Act
          label="Pause"
          title={`Pause ${what}`}
          confirm="Pause"
          preview={<Consequence many={`${many(counts.waiting, "device")} not started`} which={`of ${what}`} until="a person resumes it" undo="Resume, here." also={<><dt>Meanwhile</dt><dd>{many(counts.undecided, "undecided device")} go on to their result and are counted.</dd></>} />}
          act={(reason, key) => must(api.POST("/rollouts/{id}/pause", { ...params(key), body: { reason } }))}
          done="The rollout is paused."
        />
      )}
      {rollout.state === "paused" && (
        <Act
          label="Resume"
          primary
          title={`Resume ${what}`}
          confirm="Resume"
          preview={<Consequence many={many(counts.waiting, "device")} which="those still waiting, batch by batch" until="it finishes, or its gate stops it" undo="Pause or abort, here." />}
          act={(reason, key) => must(api.POST("/rollouts/{id}/resume", { ...params(key), body: { reason } }))}
          done="The rollout goes on."
        />
      )}
      {rollout.state !== "rolling-back" && (
        <Abort rollout={rollout} />
      )}
    </>
  );
}

function Abort({ rollout }: { rollout: Schemas["Rollout"] }) {
  const [back, setBack] = useState(true);
  const updated = rollout.counts.healthy + rollout.counts.undecided + rollout.counts.failed;
  return (
    <Act
      label="Abort"
      danger
      title={`Abort ${rollout.model} ${rollout.version}`}
      confirm={back ? `Abort and take back up to ${many(updated, "device")}` : "Abort"}
      preview={
        <Consequence
          many={`${many(rollout.counts.waiting, "device")} get nothing more; up to ${many(updated, "device")} ${back ? `go back to ${rollout.previousVersion ?? "the release before"}` : "stay as they are"}`}
          which={`all of this rollout`}
          until="for ever: an aborted rollout is not resumed"
          undo="Start a new rollout of the same release."
        />
      }
      extra={
        <label className="check">
          <input type="checkbox" checked={back} onChange={(event) => setBack(event.target.checked)} />
          <span>Take updated devices back to {rollout.previousVersion ?? "the release before"}</span>
        </label>
      }
      act={(reason, key) => must(api.POST("/rollouts/{id}/abort", { params: { path: { id: rollout.id }, header: { "Idempotency-Key": key } }, body: { reason, rollBack: back } }))}
      done="The rollout is aborted."
    />
  );
}

const STATES = Object.keys(ROLLOUT_DEVICE_STATES) as Schemas["RolloutDeviceState"][];

function Devices({ id, rollout }: { id: string; rollout: Schemas["Rollout"] | undefined }) {
  const [state, setState] = useState<Schemas["RolloutDeviceState"] | "">("");
  const [batch, setBatch] = useState("");
  const query = useInfiniteQuery(rolloutDevicesQuery(id, batch === "" ? undefined : Number(batch), state || undefined));
  return (
    <Panel
      title="What became of each device"
      flush
      tools={
        <>
          <select className="input auto" aria-label="Batch" value={batch} onChange={(event) => setBatch(event.target.value)}>
            <option value="">every batch</option>
            {rollout?.batches.map((b) => <option key={b.index} value={b.index}>{b.name}</option>)}
          </select>
          <select className="input auto" aria-label="State" value={state} onChange={(event) => setState(event.target.value as typeof state)}>
            <option value="">any state</option>
            {STATES.map((s) => <option key={s} value={s}>{ROLLOUT_DEVICE_STATES[s].word}</option>)}
          </select>
        </>
      }
    >
      <Table
        caption="Devices of this rollout"
        rows={query.data?.pages.flatMap((page) => page.devices)}
        rowKey={(d) => d.device}
        error={query.error}
        empty={<Empty title="No device here."><p className="quiet">Choose another batch or state.</p></Empty>}
        more={{ has: query.hasNextPage, busy: query.isFetchingNextPage, load: () => void query.fetchNextPage() }}
        columns={[
          { key: "device", head: "Device", phone: "title", cell: (d) => <Link className="key mono" to="/devices/$id" params={{ id: d.device }}>{d.device}</Link> },
          { key: "state", head: "State", phone: "side", cell: (d) => <State tone={ROLLOUT_DEVICE_STATES[d.state].tone}>{ROLLOUT_DEVICE_STATES[d.state].word}</State> },
          { key: "batch", head: "Batch", label: "batch", cell: (d) => rollout?.batches[d.batch]?.name ?? d.batch + 1 },
          { key: "since", head: "Since", label: "since", cell: (d) => <When at={d.since} none="not yet" /> },
          { key: "detail", head: "Detail", phone: "full", cell: (d) => (d.detail ? <Untrusted text={d.detail} /> : "") },
        ]}
      />
    </Panel>
  );
}
