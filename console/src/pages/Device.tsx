import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { lazy, Suspense, useId, useState } from "react";
import { api, must, type Schemas } from "../api/client";
import { configurationQuery, deviceCertificatesQuery, deviceQuery, failuresQuery, openIncidentsOfQuery } from "../api/queries";
import { Attested } from "../parts/Attested";
import { CertificateTable } from "../parts/CertificateTable";
import { DeviceActions } from "../parts/DeviceActions";
import { Enrol } from "../parts/Enrol";
import { Legs } from "../parts/Legs";
import { Mark, State, type Tone } from "../parts/Mark";
import { Empty, Page, Panel, ProblemNotice, Skeleton, SkeletonLines } from "../parts/Page";
import { Act } from "../parts/Act";
import { Table } from "../parts/Table";
import { Why } from "../parts/Why";
import { Tabs } from "../parts/Tabs";
import { count } from "../parts/time";
import { Logs, Timeline } from "../parts/Timeline";
import { Untrusted } from "../parts/Untrusted";
import { When } from "../parts/When";
import { DEVICE_STATES, fact, HEALTH, RISKS } from "../parts/words";

const Telemetry = lazy(() => import("../parts/Telemetry").then((m) => ({ default: m.Telemetry })));

/// How is this device, and why?
export function Device() {
  const { id } = useParams({ from: "/gate/devices/$id" });
  const query = useQuery(deviceQuery(id));
  const device = query.data;
  if (query.error && !device) {
    return (
      <Page title={id} question={`How is ${id}?`} tone="unknown" answer="Not known." crumb={<Link to="/devices">Devices</Link>}>
        <ProblemNotice error={query.error} retry={() => void query.refetch()} />
      </Page>
    );
  }
  const held = device?.state === "quarantined" || device?.state === "suspended";
  const tone: Tone | undefined = device ? (held ? "held" : device.state === "retired" ? "calm" : HEALTH[device.health].tone) : undefined;
  return (
    <Page
      title={id}
      crumb={<><Link to="/devices">Devices</Link>{device?.labels.district && <> in <Link to="/devices" search={{ selector: `district=${device.labels.district}` }}>{device.labels.district}</Link></>}</>}
      question={`How is ${id}?`}
      tone={tone}
      answer={device ? answer(device) : <Skeleton width="22ch" height={26} />}
      more={device && more(device)}
      actions={device && <DeviceActions device={device} />}
    >
      {device?.legs && held && (
        <Panel title="How far the isolation reaches">
          <Legs legs={device.legs} />
        </Panel>
      )}
      {device && (device.state === "registered" || device.state === "enrolled") && <Enrol device={device} />}
      <div className="cols">
        <Panel title={<span className="sr">Details</span>} flush>
          <Tabs
            label="About the device"
            tabs={[
              { key: "timeline", label: "Timeline", show: () => <Timeline id={id} /> },
              { key: "telemetry", label: "Telemetry", show: () => <Suspense fallback={<SkeletonLines />}><Telemetry id={id} /></Suspense> },
              { key: "logs", label: "Logs", show: () => <Logs id={id} /> },
              { key: "certificates", label: "Certificates", show: () => <><DeviceCertificates id={id} /><Attested id={id} /></> },
              { key: "configuration", label: "Configuration", show: () => <Configuration id={id} /> },
              { key: "refusals", label: "Why refused", show: () => <Refusals id={id} /> },
            ]}
          />
        </Panel>
        <div className="stack-l">
          <Panel title="Facts">{device ? <Facts device={device} /> : <SkeletonLines />}</Panel>
          <Panel title="Risk">
            {device ? (
              <div className="stack-s">
                <State tone={RISKS[device.risk.level].tone}>{RISKS[device.risk.level].word}</State>
                <ul className="reasons">{device.risk.reasons.map((reason) => <li key={reason}>{reason}</li>)}</ul>
                {device.risk.reasons.length === 0 && <span className="quiet small">No reason to worry is known.</span>}
              </div>
            ) : (
              <Skeleton />
            )}
          </Panel>
          {device && <Labels device={device} />}
          {device && device.state === "active" && <Enrol device={device} again />}
        </div>
      </div>
    </Page>
  );
}

function answer(device: Schemas["Device"]): string {
  switch (device.state) {
    case "registered":
      return "Known to us, not enrolled yet.";
    case "enrolled":
      return "It has a certificate and has not connected yet.";
    case "active":
      return { good: "Well.", watch: "Worth watching.", bad: "In trouble.", unknown: "Not known." }[device.health];
    case "quarantined":
      return "Isolated: it reaches only what heals it.";
    case "suspended":
      return "Suspended: it is refused everywhere.";
    case "retired":
      return "Retired for ever.";
  }
}

function more(device: Schemas["Device"]) {
  const held = device.state === "quarantined" || device.state === "suspended";
  return (
    <>
      {held || device.state === "retired" ? <Untrusted text={device.stateReason} /> : <Untrusted text={device.healthReason} />}
      {held && <>, <When at={device.stateSince} />{device.stateUntil && <>; ends by itself <When at={device.stateUntil} /></>}.</>}
      {(device.openIncidents ?? 0) > 0 && <> <OpenIncidents device={device.id} count={device.openIncidents ?? 0} />.</>}
    </>
  );
}

/// Straight to the incident where there is one; where there are several, to the newest of this device.
function OpenIncidents({ device, count }: { device: string; count: number }) {
  const newest = useQuery(openIncidentsOfQuery(device)).data?.incidents[0];
  const words = count === 1 ? "One incident is open" : `${count} incidents are open, the newest`;
  return newest ? <Link to="/incidents/$id" params={{ id: newest.id }}>{words}</Link> : <Link to="/incidents">{words}</Link>;
}

function Facts({ device }: { device: Schemas["Device"] }) {
  return (
    <dl className="kv">
      <dt>State</dt>
      <dd><State tone={DEVICE_STATES[device.state].tone}>{DEVICE_STATES[device.state].word}</State> <span className="quiet">since <When at={device.stateSince} /></span></dd>
      <dt>Because</dt>
      <dd><Untrusted text={device.stateReason} /></dd>
      <dt>Health</dt>
      <dd><State tone={HEALTH[device.health].tone}>{HEALTH[device.health].word}</State></dd>
      <dt>Connected</dt>
      <dd>
        {device.sessions && device.sessions.length > 0 ? (
          <span className="stack-s">{device.sessions.map((s) => <span key={s.remoteAddress + s.since}>{s.protocol} from <code>{s.remoteAddress}</code>, <When at={s.since} /></span>)}</span>
        ) : device.connected ? "yes" : "no"}
      </dd>
      <dt>Last heard</dt>
      <dd><When at={device.lastContact} /></dd>
      <dt>Firmware</dt>
      <dd>{device.firmware ? <><Untrusted text={device.firmware} /> <span className="quiet">as it says, <When at={device.firmwareAt} /></span></> : <span className="quiet">not reported</span>}</dd>
      <dt>Model</dt>
      <dd>{device.model}</dd>
      {device.reachesVia && <><dt>Reached through</dt><dd><Link to="/devices/$id" params={{ id: device.reachesVia }} className="mono">{device.reachesVia}</Link></dd></>}
      <dt>Registered</dt>
      <dd><When at={device.registeredAt} /></dd>
      <dt>Environment</dt>
      <dd>{device.environment}</dd>
      <dt>Journal</dt>
      <dd><Link to="/journal" search={{ subject: `device:${device.id}` }}>Its entries</Link></dd>
    </dl>
  );
}

function Labels({ device }: { device: Schemas["Device"] }) {
  const [text, setText] = useState("");
  const field = useId();
  const now = Object.entries(device.labels).map(([k, v]) => `${k}=${v}`).join("\n");
  return (
    <Panel
      title="Labels"
      tools={
        <Act
          label="Change"
          title={`Labels of ${device.id}`}
          reason="none"
          confirm="Set these labels"
          preview={<p className="quiet">One <code>key=value</code> a line; what is left out is removed. Rollouts, segments and the never-isolate list look at labels, so a change can move the device into or out of them.</p>}
          extra={
            <label className="field" htmlFor={field}>
              Labels
              <textarea id={field} className="input mono" rows={6} defaultValue={now} onChange={(event) => setText(event.target.value)} onFocus={(event) => setText(event.target.value)} />
            </label>
          }
          act={() => {
            const wished = Object.fromEntries((text || now).split("\n").map((line) => line.trim()).filter(Boolean).map((line) => [line.split("=")[0]?.trim() ?? "", line.slice(line.indexOf("=") + 1).trim()]));
            const labels: Record<string, string | null> = { ...wished };
            Object.keys(device.labels).forEach((key) => {
              if (!(key in wished)) labels[key] = null;
            });
            return must(api.PATCH("/devices/{id}", { params: { path: { id: device.id }, header: { "If-Match": device.etag } }, body: { labels } }));
          }}
          done="Labels are set."
        />
      }
    >
      {Object.keys(device.labels).length === 0 ? (
        <span className="quiet small">None. A label <code>district</code> places the device on the map.</span>
      ) : (
        <div className="row wrap">{Object.entries(device.labels).map(([key, value]) => <span key={key} className="chip"><span className="quiet">{key}</span> <Untrusted text={value} /></span>)}</div>
      )}
    </Panel>
  );
}

function DeviceCertificates({ id }: { id: string }) {
  const certificates = useQuery(deviceCertificatesQuery(id));
  return (
    <CertificateTable
      rows={certificates.data?.certificates}
      error={certificates.error}
      retry={() => void certificates.refetch()}
      empty={<Empty title="No certificate yet."><p className="quiet">It gets one when it enrols: make a one-time token above and run the commands on the device.</p></Empty>}
    />
  );
}

function Configuration({ id }: { id: string }) {
  const query = useQuery(configurationQuery(id));
  const data = query.data;
  if (query.error && !data) return <div className="empty"><ProblemNotice error={query.error} /></div>;
  if (!data) return <SkeletonLines />;
  const keys = [...new Set([...Object.keys(data.reported?.settings ?? {}), ...Object.keys(data.desired?.state ?? {}), ...data.differences.map((d) => d.key)])].sort();
  return (
    <Table
      caption="Configuration, desired and reported"
      rows={keys}
      rowKey={(key) => key}
      empty={<Empty title="Nothing is desired and nothing was reported."><p className="quiet">Desired state is set with <code>holdfast device configure</code>; the device reports on <code>d/{id}/config</code>.</p></Empty>}
      more={{ has: false, busy: false, load: () => undefined, said: data.desired ? `Desired revision ${data.desired.revision}${data.desired.delivered ? ", delivered" : ", not delivered yet"}; the device applied ${data.reported?.revision ?? "none"}.` : "" }}
      columns={[
        { key: "key", head: "Setting", phone: "title", cell: (key) => <code><Untrusted text={key} /></code> },
        { key: "desired", head: "Desired", label: "desired", cell: (key) => <Untrusted text={words((data.desired?.state as Record<string, unknown> | undefined)?.[key] ?? data.differences.find((d) => d.key === key)?.expected)} /> },
        { key: "reported", head: "Reported", label: "reported", cell: (key) => <Untrusted text={words(data.reported?.settings[key])} /> },
        { key: "same", head: "Compared", phone: "side", cell: (key) => (data.differences.some((d) => d.key === key) ? <State tone="watch">differs</State> : <State tone="good">same</State>) },
      ]}
    />
  );
}

const words = (value: unknown): string => (value === undefined ? "not said" : typeof value === "string" ? value : JSON.stringify(value));

function Refusals({ id }: { id: string }) {
  const failures = useQuery(failuresQuery(id));
  return (
    <>
    <Why id={id} />
    <h3 className="table-head">Each, and how often</h3>
    <Table
      caption="Refused connections that named this device"
      rows={failures.data?.failures}
      rowKey={(f) => f.at + f.cause + (f.remoteAddress ?? "")}
      error={failures.error}
      empty={<Empty title="Nothing was refused."><p className="quiet">Handshakes, connections and enrolments that name this device and fail appear here with the cause. What happens before authentication never counts against the device: anybody can use its name.</p></Empty>}
      columns={[
        { key: "cause", head: "Cause", phone: "title", cell: (f) => <span className="row"><Mark tone="watch" />{fact(f.cause)}</span> },
        { key: "sentence", head: "What happened", phone: "full", cell: (f) => <Untrusted text={f.sentence} /> },
        { key: "where", head: "Where", label: "on", cell: (f) => <>{f.listener} {f.remoteAddress && <code>{f.remoteAddress}</code>}</> },
        { key: "times", head: "Times", label: "times", cell: (f) => count(f.times ?? 1) },
        { key: "at", head: "Last", phone: "side", cell: (f) => <When at={f.at} /> },
      ]}
    />
    </>
  );
}
