import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useId, useState } from "react";
import { api, must, ProblemError, type Schemas } from "../api/client";
import { devicesQuery, modelsQuery, type DeviceFilter } from "../api/queries";
import { Act } from "../parts/Act";
import { Mark, State } from "../parts/Mark";
import { Empty, Page, Panel, ProblemNotice, Skeleton } from "../parts/Page";
import { Table } from "../parts/Table";
import { count, many } from "../parts/time";
import { Untrusted } from "../parts/Untrusted";
import { When } from "../parts/When";
import { DEVICE_STATES, HEALTH, RISKS } from "../parts/words";

const HEALTHS = ["good", "watch", "bad", "unknown"] as const;

/// Which devices are there, and which of them need a look?
export function Devices() {
  const filter = useSearch({ from: "/gate/devices" });
  const navigate = useNavigate();
  const devices = useInfiniteQuery(devicesQuery(filter));
  const rows = devices.data?.pages.flatMap((page) => page.devices);
  const total = devices.data?.pages[0]?.total;
  const filtered = Boolean(filter.search ?? filter.selector ?? filter.health);
  const set = (change: DeviceFilter) => void navigate({ to: "/devices", search: { ...filter, ...change }, replace: true });
  const badSelector = devices.error instanceof ProblemError && devices.error.problem.status === 400;

  return (
    <Page
      title="Devices"
      question={filtered ? "Which devices match?" : "Which devices do we have?"}
      answer={total === undefined ? devices.error ? "Not known." : <Skeleton width="14ch" height={26} /> : `${many(total, "device")}${filtered ? (total === 1 ? " matches." : " match.") : "."}`}
      actions={
        <>
          <a className="btn" href={`/api/v1/exports/devices${filter.selector ? `?selector=${encodeURIComponent(filter.selector)}` : ""}`} download="devices.csv">Export CSV</a>
          <ImportCsv />
          <AddDevice />
        </>
      }
    >
      <Panel title={<span className="sr">Devices</span>} flush tools={<Filters key={`${filter.search}|${filter.selector}`} filter={filter} set={set} invalid={badSelector} />}>
        {badSelector && <div className="body"><ProblemNotice error={devices.error} /></div>}
        <Table
          caption="Devices"
          rows={rows}
          rowKey={(d) => d.id}
          pending={devices.isFetching}
          error={devices.error}
          retry={() => void devices.refetch()}
          sort={filter.sort ?? "id"}
          onSort={(sort) => set({ sort: sort as DeviceFilter["sort"] })}
          empty={
            filtered ? (
              <Empty title="No device matches.">
                <p className="quiet">Search looks for a part of the id. A selector looks at labels, for example <code>district=Harbour, state!=retired</code>.</p>
                <button type="button" className="btn" onClick={() => void navigate({ to: "/devices", search: {} })}>Show all</button>
              </Empty>
            ) : (
              <Empty title="No devices yet.">
                <p className="quiet">Add the first one here, then open it: its page has the commands to copy to the device. Many at once come from a CSV file with the columns <code>id,model,label.district</code>.</p>
              </Empty>
            )
          }
          more={{
            has: devices.hasNextPage,
            busy: devices.isFetchingNextPage,
            load: () => void devices.fetchNextPage(),
            said: rows && total !== undefined ? `${count(rows.length)} of ${count(total)}` : "",
          }}
          columns={[
            { key: "id", head: "Device", sort: "id", phone: "title", cell: (d) => <Link className="key mono" to="/devices/$id" params={{ id: d.id }}>{d.id}</Link> },
            { key: "health", head: "Health", phone: "side", cell: (d) => <State tone={HEALTH[d.health].tone}>{HEALTH[d.health].word}</State> },
            { key: "state", head: "State", sort: "stateSince", cell: (d) => <span title={DEVICE_STATES[d.state].meaning}>{DEVICE_STATES[d.state].tone === "held" ? <State tone="held">{DEVICE_STATES[d.state].word}</State> : DEVICE_STATES[d.state].word}</span> },
            { key: "district", head: "District", label: "in", cell: (d) => (d.labels.district ? <Untrusted text={d.labels.district} /> : <span className="quiet">none</span>) },
            { key: "model", head: "Model", phone: "hide", cell: (d) => d.model },
            { key: "firmware", head: "Firmware", label: "firmware", cell: (d) => (d.firmware ? <Untrusted text={d.firmware} /> : <span className="quiet">not reported</span>) },
            { key: "risk", head: "Risk", sort: "risk", label: "risk", cell: (d) => <span title={d.risk.reasons.join("; ")}><State tone={RISKS[d.risk.level].tone}>{RISKS[d.risk.level].word}</State></span> },
            { key: "heard", head: "Last heard", sort: "lastContact", label: "heard", cell: (d) => <When at={d.lastContact} /> },
          ]}
        />
      </Panel>
    </Page>
  );
}

function Filters({ filter, set, invalid }: { filter: DeviceFilter; set: (change: DeviceFilter) => void; invalid: boolean }) {
  const [search, setSearch] = useState(filter.search ?? "");
  const [selector, setSelector] = useState(filter.selector ?? "");
  const searchField = useId();
  const selectorField = useId();
  useEffect(() => {
    if (search === (filter.search ?? "")) return;
    const timer = setTimeout(() => set({ search: search || undefined }), 250);
    return () => clearTimeout(timer);
  }, [search]); // eslint-disable-line react-hooks/exhaustive-deps -- only typing starts a search

  return (
    <form
      className="filters"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        set({ search: search || undefined, selector: selector.trim() || undefined });
      }}
    >
      <label className="field" htmlFor={searchField}>
        Id contains
        <input id={searchField} className="input mono" type="search" maxLength={64} autoComplete="off" spellCheck={false} value={search} onChange={(event) => setSearch(event.target.value)} />
      </label>
      <label className="field wide" htmlFor={selectorField}>
        Selector, for example district=Harbour, state!=retired
        <input id={selectorField} className="input mono" maxLength={2000} autoComplete="off" spellCheck={false} aria-invalid={invalid || undefined} value={selector} onChange={(event) => setSelector(event.target.value)} onBlur={() => selector.trim() !== (filter.selector ?? "") && set({ selector: selector.trim() || undefined })} />
      </label>
      <div className="seg" role="group" aria-label="Health">
        <button type="button" aria-pressed={!filter.health} onClick={() => set({ health: undefined })}>All</button>
        {HEALTHS.map((health) => (
          <button key={health} type="button" aria-pressed={filter.health === health} onClick={() => set({ health: filter.health === health ? undefined : health })}>
            <Mark tone={HEALTH[health].tone} />
            <span className="seg-word">{HEALTH[health].word}</span>
          </button>
        ))}
      </div>
      <button type="submit" className="sr" tabIndex={-1}>Search</button>
    </form>
  );
}

const NEW_MODEL = " new";

function AddDevice() {
  const models = useQuery(modelsQuery);
  const navigate = useNavigate();
  const [id, setId] = useState("");
  const [model, setModel] = useState("");
  const [wish, setWish] = useState({ id: "", vendor: "", hardware: "", expectedInterval: "PT1M" });
  const [district, setDistrict] = useState("");
  const [reachesVia, setReachesVia] = useState("");
  const f = useId();
  const known = models.data?.models ?? [];
  const chosen = model || (known[0]?.id ?? NEW_MODEL);
  const defining = chosen === NEW_MODEL;
  return (
    <Act
      label="Add device"
      primary
      title="Add a device"
      reason="none"
      confirm="Add"
      preview={<p className="quiet">It is registered only; it may connect after it has enrolled. Its page has the commands for that.</p>}
      extra={
        <>
          <label className="field" htmlFor={`${f}id`}>
            Id (letters, digits, dot, dash, underscore)
            <input id={`${f}id`} className="input mono" required pattern="[A-Za-z0-9][A-Za-z0-9._\-]{0,63}" maxLength={64} autoComplete="off" value={id} onChange={(event) => setId(event.target.value)} />
          </label>
          <label className="field" htmlFor={`${f}model`}>
            Model
            <select id={`${f}model`} className="input" value={chosen} onChange={(event) => setModel(event.target.value)}>
              {known.map((m) => <option key={m.id} value={m.id}>{m.id} ({m.vendor})</option>)}
              <option value={NEW_MODEL}>a new model</option>
            </select>
          </label>
          {defining && (
            <div className="form-grid">
              <label className="field" htmlFor={`${f}mi`}>Id of the new model
                <input id={`${f}mi`} className="input mono" required pattern="[A-Za-z0-9][A-Za-z0-9._\-]{0,63}" placeholder="for example kwh-3" value={wish.id} onChange={(event) => setWish({ ...wish, id: event.target.value })} />
              </label>
              <label className="field" htmlFor={`${f}mv`}>Vendor
                <input id={`${f}mv`} className="input" required maxLength={80} value={wish.vendor} onChange={(event) => setWish({ ...wish, vendor: event.target.value })} />
              </label>
              <label className="field" htmlFor={`${f}mh`}>Hardware, as a release must name it
                <input id={`${f}mh`} className="input" required maxLength={80} placeholder="for example kwh-3-revB" value={wish.hardware} onChange={(event) => setWish({ ...wish, hardware: event.target.value })} />
              </label>
              <label className="field" htmlFor={`${f}me`}>A healthy one is heard every
                <select id={`${f}me`} className="input" value={wish.expectedInterval} onChange={(event) => setWish({ ...wish, expectedInterval: event.target.value })}>
                  <option value="PT10S">10 seconds</option>
                  <option value="PT1M">minute</option>
                  <option value="PT15M">15 minutes</option>
                  <option value="PT1H">hour</option>
                  <option value="P1D">day</option>
                </select>
              </label>
            </div>
          )}
          <label className="field" htmlFor={`${f}district`}>
            District (label, may stay empty)
            <input id={`${f}district`} className="input" maxLength={63} value={district} onChange={(event) => setDistrict(event.target.value)} />
          </label>
          <label className="field" htmlFor={`${f}via`}>
            Reaches us through the gateway (id, may stay empty)
            <input id={`${f}via`} className="input mono" maxLength={64} value={reachesVia} onChange={(event) => setReachesVia(event.target.value)} />
          </label>
        </>
      }
      act={async (_, key) => {
        if (defining) {
          const { id: modelId, ...definition } = wish;
          await must(api.PUT("/models/{id}", { params: { path: { id: modelId } }, body: definition }));
        }
        const device = await must(api.POST("/devices", { params: { header: { "Idempotency-Key": key } }, body: { id, model: defining ? wish.id : chosen, labels: district ? { district } : {}, ...(reachesVia ? { reachesVia } : {}) } }));
        setId("");
        setModel("");
        void navigate({ to: "/devices/$id", params: { id: device.id } });
        return device;
      }}
      done={(device) => `${device.id} is registered.`}
    />
  );
}

function ImportCsv() {
  const [text, setText] = useState("");
  const [checked, setChecked] = useState<Schemas["ImportResult"]>();
  const [error, setError] = useState<unknown>();
  const queries = useQueryClient();
  const field = useId();
  const send = (dryRun: boolean, key?: string) =>
    must(api.POST("/imports/devices", {
      params: { query: dryRun ? { dryRun: true } : {}, header: key ? { "Idempotency-Key": key } : {} },
      body: text,
      bodySerializer: (body) => body,
      headers: { "Content-Type": "text/csv" },
    }));
  const take = (value: string) => {
    setText(value);
    setChecked(undefined);
  };
  return (
    <Act
      label="Import CSV"
      wide
      title="Import devices from CSV"
      reason="none"
      confirm={checked ? `Register ${many(checked.accepted, "device")}` : "Register them"}
      preview={<p className="quiet">The first line names the columns: <code>id</code>, <code>model</code>, and if wanted <code>reachesVia</code> and <code>label.district</code> or any other <code>label.</code>. Devices that are there already stay as they are. Check first: nothing is changed by that.</p>}
      extra={
        <>
          <label className="field" htmlFor={field}>
            File, or paste below
            <input type="file" accept=".csv,text/csv" className="input file" onChange={(event) => void event.target.files?.[0]?.text().then(take)} />
          </label>
          <textarea id={field} className="input mono" rows={7} aria-label="CSV" placeholder={"id,model,label.district\nmeter-0001,kwh-3,Harbour"} value={text} onChange={(event) => take(event.target.value)} />
          <div className="row wrap">
            <button type="button" className="btn" disabled={text.trim() === ""} onClick={() => { setError(undefined); send(true).then(setChecked, setError); }}>Check only</button>
            {checked && <span>{count(checked.read)} lines read: {count(checked.accepted)} would be registered, {count(checked.unchanged ?? 0)} are there already, {count(checked.rejected)} refused.</span>}
          </div>
          {error !== undefined && <ProblemNotice error={error} />}
          {checked && checked.errors.length > 0 && (
            <ul className="stack-s small">
              {checked.errors.slice(0, 12).map((e) => <li key={`${e.line}${e.message}`}><span className="bad">line {e.line}</span> <Untrusted text={e.message} /></li>)}
            </ul>
          )}
        </>
      }
      act={async (_, key) => {
        const result = await send(false, key);
        setText("");
        setChecked(undefined);
        void queries.invalidateQueries();
        return result;
      }}
      done={(result) => `${many(result.accepted, "device")} registered, ${result.rejected} lines refused.`}
    />
  );
}
