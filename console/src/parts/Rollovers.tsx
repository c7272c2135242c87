import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Schemas } from "../api/client";
import { rolloverDevicesQuery, rolloverQuery, rolloversQuery } from "../api/queries";
import { Mark } from "./Mark";
import { Panel } from "./Page";
import { Table } from "./Table";
import { count, many } from "./time";
import { Untrusted } from "./Untrusted";
import { When } from "./When";

/// Authorities that are being replaced, and whom that waits for; nothing is shown when none is.
export function Rollovers() {
  const rollovers = useQuery(rolloversQuery);
  const open = rollovers.data?.rollovers.filter((r) => r.phase === "ready" || r.phase === "moving") ?? [];
  return <>{open.map((r) => <Open key={r.id} of={r} />)}</>;
}

const KINDS: Record<Schemas["Rollover"]["kind"], string> = { issuer: "The issuer", root: "The root", emergency: "A stolen issuer" };

function Open({ of }: { of: Schemas["Rollover"] }) {
  const detail = useQuery(rolloverQuery(of.id));
  const missing = useInfiniteQuery(rolloverDevicesQuery(of.id));
  const rollover = detail.data ?? of;
  const root = rollover.kind === "root";
  return (
    <Panel title={`${KINDS[rollover.kind]} is being replaced`} flush>
      <ul className="concerns">
        <li>
          <div className="stack-s grow">
            <span><code>{rollover.old}</code> by <code>{rollover.new}</code>, begun <When at={rollover.startedAt} />: <Untrusted text={rollover.reason} /></span>
            <Progress of={rollover} />
            {rollover.waivers?.map((w) => <span key={w.person} className="small"><Mark tone="watch" /> {w.name ?? w.person} agreed to leave {many(w.devices, "device")} behind: <Untrusted text={w.reason} /></span>)}
          </div>
        </li>
      </ul>
      <Table
        caption={root ? "Devices that have not said that they trust the new root" : "Devices that have not moved"}
        rows={missing.data?.pages.flatMap((page) => page.devices)}
        rowKey={(d) => `${d.environment}/${d.device}`}
        error={missing.error}
        retry={() => void missing.refetch()}
        empty={<p className="empty quiet"><Mark tone="good" /> Nobody is missing. Go on with <code>holdfast cert campaign {rollover.phase === "ready" ? "move" : "finish"} {rollover.id}</code></p>}
        more={{ has: missing.hasNextPage, busy: missing.isFetchingNextPage, load: () => void missing.fetchNextPage() }}
        columns={[
          { key: "device", head: "Missing", phone: "title", cell: (d) => <Link className="key mono nowrap" to="/devices/$id" params={{ id: d.device }}>{d.device}</Link> },
          ...(root
            ? [
                { key: "told", head: "Told", label: "told", cell: (d: Schemas["RolloverDevice"]) => <When at={d.told} none="not yet" /> },
                { key: "fetched", head: "Fetched the new root", label: "fetched", cell: (d: Schemas["RolloverDevice"]) => <When at={d.fetched} none="not yet" /> },
              ]
            : []),
          { key: "moved", head: "Certificate", label: "certificate", cell: (d) => (d.moved ? "of the new one" : d.depends ? "of the old one" : "of neither") },
        ]}
      />
    </Panel>
  );
}

function Progress({ of }: { of: Schemas["Rollover"] }) {
  const all = of.devices ?? 0;
  if (of.kind === "root" && of.phase === "ready") {
    return <span>{count(of.trusting ?? 0)} of {many(all, "device")} trust the new root; {count(of.fetched ?? 0)} have fetched it. Nothing issues under it yet.</span>;
  }
  return (
    <span>
      {of.phase === "ready" ? "Nothing issues under it yet." : <>{count(of.moved ?? 0)} of {many(all, "device")} have moved, {count(of.depending ?? 0)} still depend on the old one.</>}
      {of.kind === "root" && <> {count(of.trusting ?? 0)} trust the new root.</>}
      {of.distrustAt && <> The old one is distrusted <When at={of.distrustAt} /> at the latest.</>}
    </span>
  );
}
