import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import type { Schemas } from "../api/client";
import type { FleetDistrict } from "../api/fleet";
import { live, useFleetVersion } from "../api/live";
import { mapQuery, overviewQuery, type DeviceFilter } from "../api/queries";
import { CityMap, faceTone, faceWord } from "../map/CityMap";
import { Mark, State, type Tone } from "../parts/Mark";
import { Empty, Page, Panel, ProblemNotice, Skeleton } from "../parts/Page";
import { RolloutBar } from "../parts/RolloutBar";
import { Table } from "../parts/Table";
import { count } from "../parts/time";
import { When } from "../parts/When";
import { DEVICE_STATES, fact, PROVENANCES, ROLLOUT_STATES, SEVERITIES } from "../parts/words";

/// Is the city safe right now?
export function Overview() {
  const overview = useQuery(overviewQuery);
  const map = useQuery(mapQuery);
  const version = useFleetVersion();
  const navigate = useNavigate();
  const { view } = useSearch({ from: "/gate/" });

  useEffect(() => {
    if (map.data) live.fleet.load(map.data);
  }, [map.data]);
  // eslint-disable-next-line react-hooks/exhaustive-deps -- the version is what says that the columns changed
  const districts = useMemo(() => live.fleet.districts(), [version]);
  const data = overview.data;

  return (
    <Page
      title="City"
      question="Is the city safe right now?"
      tone={data?.answer.health}
      answer={data ? data.answer.sentence : overview.error ? "Not known: the server did not say." : <Skeleton width="24ch" height={26} />}
    >
      {overview.error && !data && <ProblemNotice error={overview.error} retry={() => void overview.refetch()} />}
      <Facts overview={data} />
      <div className="cols">
        <Panel
          title="Health by district"
          flush
          tools={
            <div className="seg" role="group" aria-label="Show as">
              <button type="button" aria-pressed={view !== "table"} onClick={() => void navigate({ to: "/", search: {}, replace: true })}>Map</button>
              <button type="button" aria-pressed={view === "table"} onClick={() => void navigate({ to: "/", search: { view: "table" }, replace: true })}>Table</button>
            </div>
          }
        >
          {map.error && districts.length === 0 ? (
            <div className="body empty"><ProblemNotice error={map.error} retry={() => void map.refetch()} /></div>
          ) : !map.data && districts.length === 0 ? (
            <div className="map"><Skeleton height={420} /></div>
          ) : districts.every((d) => d.devices.length === 0) ? (
            <NoDevices />
          ) : view === "table" ? (
            <DistrictTable districts={districts} />
          ) : (
            <CityMap
              districts={districts}
              onOpen={(id) => void navigate({ to: "/devices/$id", params: { id } })}
              onDistrict={(name) => void navigate({ to: "/devices", search: name === "No district" ? { selector: "!district" } : { selector: `district=${name}` } })}
            />
          )}
          {map.data && map.data.total > map.data.ids.length && (
            <div className="more">The first {count(map.data.ids.length)} of {count(map.data.total)} devices are drawn; the counts above are of all.</div>
          )}
        </Panel>
        <div className="stack-l">
          <OpenIncidents incidents={data?.incidents} />
          <ActiveRollouts rollouts={data?.rollouts} />
          <SwitchPanel switches={data?.switches} />
        </div>
      </div>
    </Page>
  );
}

function Facts({ overview }: { overview: Schemas["FleetOverview"] | undefined }) {
  const c = overview?.counters;
  const held = c ? c.states.quarantined + c.states.suspended : undefined;
  const facts: { label: string; value: number | undefined; tone?: Tone; link?: DeviceFilter }[] = [
    { label: "well", value: c?.health.good, tone: "good", link: { health: "good" } },
    { label: "watch", value: c?.health.watch, tone: "watch", link: { health: "watch" } },
    { label: "in trouble", value: c?.health.bad, tone: "bad", link: { health: "bad" } },
    { label: "not known", value: c?.health.unknown, tone: "unknown", link: { health: "unknown" } },
    { label: "isolated", value: held, tone: "held", link: { selector: "state in (quarantined,suspended)" } },
    { label: "connected", value: c?.connected },
    { label: "messages/s", value: c ? Math.round(c.messagesPerSecond) : undefined },
  ];
  return (
    <div className="facts seven">
      {facts.map(({ label, value, tone, link }) => {
        const inside = (
          <>
            <span className="value">
              {tone && <Mark tone={value === 0 && (tone === "bad" || tone === "watch") ? "calm" : tone} />}
              {value === undefined ? <Skeleton width="5ch" height={20} /> : count(value)}
            </span>
            <span className="label">{label}</span>
          </>
        );
        return link ? <Link key={label} to="/devices" search={link}>{inside}</Link> : <div key={label}>{inside}</div>;
      })}
    </div>
  );
}

/// The map's twin: the same districts and devices, as a table.
function DistrictTable({ districts }: { districts: readonly FleetDistrict[] }) {
  const troubled = districts.flatMap((d) => d.devices.filter((device) => device.held || device.health !== "good").map((device) => ({ ...device, district: d.name })));
  const order = ["bad", "watch", "unknown", "good"];
  troubled.sort((a, b) => Number(b.held) - Number(a.held) || order.indexOf(a.health) - order.indexOf(b.health));
  return (
    <>
      <Table
        caption="Health by district"
        rows={districts.filter((d) => d.devices.length > 0)}
        rowKey={(d) => d.name}
        empty={null}
        columns={[
          { key: "name", head: "District", phone: "title", cell: (d) => <Link className="key" to="/devices" search={d.name === "No district" ? { selector: "!district" } : { selector: `district=${d.name}` }}>{d.name}</Link> },
          { key: "all", head: "Devices", numeric: true, phone: "side", cell: (d) => count(d.devices.length) },
          ...(["good", "watch", "bad", "unknown"] as const).map((health) => ({
            key: health,
            head: { good: "Well", watch: "Watch", bad: "In trouble", unknown: "Not known" }[health],
            label: { good: "well", watch: "watch", bad: "in trouble", unknown: "not known" }[health],
            numeric: true,
            cell: (d: FleetDistrict) => {
              const n = d.devices.filter((device) => device.health === health).length;
              return n === 0 ? <span className="quiet">0</span> : <State tone={health}>{count(n)}</State>;
            },
          })),
          {
            key: "held",
            head: "Isolated",
            label: "isolated",
            numeric: true,
            cell: (d) => {
              const n = d.devices.filter((device) => device.held).length;
              return n === 0 ? <span className="quiet">0</span> : <State tone="held">{n}</State>;
            },
          },
        ]}
      />
      <h3 className="table-head">Devices that are not well</h3>
      <Table
        caption="Devices that are not well"
        rows={troubled.slice(0, 100)}
        rowKey={(d) => d.id}
        empty={<Empty title="Every device is well." />}
        more={{ has: false, busy: false, load: () => undefined, said: troubled.length > 100 ? `The worst 100 of ${count(troubled.length)}; the rest under Devices.` : "" }}
        columns={[
          { key: "id", head: "Device", phone: "title", cell: (d) => <Link className="key mono" to="/devices/$id" params={{ id: d.id }}>{d.id}</Link> },
          { key: "district", head: "District", cell: (d) => d.district },
          { key: "health", head: "Health", phone: "side", cell: (d) => <State tone={faceTone(d)}>{faceWord(d)}</State> },
          { key: "state", head: "State", phone: "hide", cell: (d) => DEVICE_STATES[d.state].word },
          { key: "connected", head: "Connected", phone: "hide", cell: (d) => (d.connected ? "yes" : "no") },
        ]}
      />
    </>
  );
}

function NoDevices() {
  return (
    <Empty title="No devices yet.">
      <p className="quiet">
        A city begins with one device. <Link to="/devices">Register one</Link>, open its page, and copy the enrolment commands to it: it appears here within seconds of its first connection.
      </p>
    </Empty>
  );
}

function OpenIncidents({ incidents }: { incidents: readonly Schemas["IncidentSummary"][] | undefined }) {
  return (
    <Panel title="Open incidents" flush tools={<Link to="/incidents" className="small">All incidents</Link>}>
      {!incidents ? (
        <div className="body stack"><Skeleton /><Skeleton width="70%" /></div>
      ) : incidents.length === 0 ? (
        <div className="body quiet">None. When a detector finds something, it appears here with its evidence and what was done.</div>
      ) : (
        <ul className="items">
          {incidents.slice(0, 6).map((incident) => (
            <li key={incident.id}>
              <Link to="/incidents/$id" params={{ id: incident.id }} className="item">
                <Mark tone={SEVERITIES[incident.severity].tone} title={SEVERITIES[incident.severity].word} />
                <span className="stack-s">
                  <span className="item-title">{incident.title}</span>
                  <span className="small quiet">
                    {SEVERITIES[incident.severity].word}, {PROVENANCES[incident.provenance].word}. {incident.action ?? fact(incident.cause)}. <When at={incident.openedAt} />
                  </span>
                  {incident.state === "awaiting-approval" && <State tone="watch">waits for your approval</State>}
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function ActiveRollouts({ rollouts }: { rollouts: readonly Schemas["RolloutSummary"][] | undefined }) {
  return (
    <Panel title="Active rollouts" flush tools={<Link to="/rollouts" className="small">All rollouts</Link>}>
      {!rollouts ? (
        <div className="body stack"><Skeleton /><Skeleton width="70%" /></div>
      ) : rollouts.length === 0 ? (
        <div className="body quiet">None under way.</div>
      ) : (
        <ul className="items">
          {rollouts.map((rollout) => (
            <li key={rollout.id}>
              <Link to="/rollouts/$id" params={{ id: rollout.id }} className="item">
                <Mark tone={ROLLOUT_STATES[rollout.state].tone} title={ROLLOUT_STATES[rollout.state].word} />
                <span className="stack-s grow">
                  <span className="item-title">{rollout.model} {rollout.version}</span>
                  <RolloutBar counts={rollout.counts} />
                  <span className="small quiet">{rollout.sentence}</span>
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function SwitchPanel({ switches }: { switches: Schemas["Switches"] | undefined }) {
  if (!switches) return <Panel title="Switches"><Skeleton /></Panel>;
  return (
    <Panel title="Switches">
      <dl className="kv">
        <dt>Rollouts</dt>
        <dd>{switches.stopAll.stopped ? <State tone="bad">everything stopped</State> : <State tone="good">may run</State>}</dd>
        <dt>Rollout gate</dt>
        <dd>{switches.rolloutGate ? <State tone="good">on</State> : <State tone="bad">off by configuration</State>}</dd>
        <dt>Isolation</dt>
        <dd>{switches.automaticIsolation ? <State tone="good">automatic, within limits</State> : <State tone="bad">off by configuration</State>}</dd>
      </dl>
    </Panel>
  );
}

