import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { api, must, type Schemas } from "../api/client";
import { channelsQuery, neverIsolateQuery } from "../api/queries";
import { Act } from "../parts/Act";
import { CodeBlock } from "../parts/Copy";
import { State } from "../parts/Mark";
import { Empty, Page, Panel, ProblemNotice, Skeleton } from "../parts/Page";
import { Table } from "../parts/Table";
import { count, many } from "../parts/time";
import { say } from "../parts/toasts";
import { Untrusted } from "../parts/Untrusted";
import { When } from "../parts/When";
import { SEVERITIES } from "../parts/words";

const LEVELS: Schemas["Severity"][] = ["low", "medium", "high", "critical"];

/// Who is told, and do they hear it?
export function Notifications() {
  const channels = useQuery(channelsQuery);
  const [secret, setSecret] = useState<string>();
  const list = channels.data?.channels;
  const failing = list?.filter((c) => c.lastError).length ?? 0;
  return (
    <Page
      title="Notifications"
      question="Who is told, and do they hear it?"
      tone={list ? (list.length === 0 || failing > 0 ? "watch" : "good") : undefined}
      answer={!list ? channels.error ? "Not known." : <Skeleton width="20ch" height={26} /> : list.length === 0 ? "Nobody is told yet." : failing > 0 ? `${failing} of ${many(list.length, "receiver")} did not answer last time.` : `${many(list.length, "receiver")}, all heard us last time.`}
      more="Messages wait in a durable queue: a receiver that is down loses nothing."
      actions={<AddChannel onSecret={setSecret} />}
    >
      {secret && (
        <div className="notice good">
          <div className="stack grow">
            <span>The signing secret of the new webhook (Standard Webhooks). It is not shown again.</span>
            <CodeBlock label="Signing secret" text={secret} />
          </div>
        </div>
      )}
      <Panel title="Receivers" flush>
        <Table
          caption="Receivers"
          rows={list}
          rowKey={(c) => c.id}
          error={channels.error}
          retry={() => void channels.refetch()}
          empty={<Empty title="No receiver yet."><p className="quiet">Add a webhook (signed, for pagers and chat) or a mail address. Choose from which severity on it is told.</p></Empty>}
          columns={[
            { key: "name", head: "Name", phone: "title", cell: (c) => <strong><Untrusted text={c.name} /></strong> },
            { key: "kind", head: "Kind", cell: (c) => ({ webhook: "webhook", email: "mail" })[c.kind] },
            { key: "to", head: "Where", phone: "full", cell: (c) => <span className="break"><Untrusted text={c.url ?? c.to ?? ""} /></span> },
            { key: "from", head: "Told of", label: "told of", cell: (c) => `${SEVERITIES[c.minimumSeverity ?? "low"].word} and worse` },
            { key: "health", head: "Last time", phone: "full", cell: (c) => (c.lastError ? <span className="stack-s"><State tone="bad">failed</State><span className="small break"><Untrusted text={c.lastError} /></span></span> : c.lastDeliveredAt ? <span className="row"><State tone="good">heard</State> <When at={c.lastDeliveredAt} /></span> : <span className="quiet">nothing sent yet</span>) },
            { key: "pending", head: "Waiting", label: "waiting", numeric: true, cell: (c) => count(c.pending ?? 0) },
            {
              key: "act", head: "", phone: "act",
              cell: (c) => (
                <span className="row wrap">
                  <button type="button" className="btn" onClick={() => void must(api.POST("/notification-channels/{id}/test", { params: { path: { id: c.id } }, body: {} })).then(() => say("good", `A test message for ${c.name} is queued.`), (e: unknown) => say("bad", String(e)))}>Test</button>
                  <Act label="Remove" danger quiet reason="none" title={`Tell ${c.name} no more`} confirm="Remove" preview={<p className="quiet">{many(c.pending ?? 0, "waiting message")} for it will not be sent. To undo: add it again; a webhook gets a new secret.</p>} act={() => must(api.DELETE("/notification-channels/{id}", { params: { path: { id: c.id } } }))} done="The receiver is removed." />
                </span>
              ),
            },
          ]}
        />
      </Panel>
      <NeverIsolate />
    </Page>
  );
}

function AddChannel({ onSecret }: { onSecret: (secret: string | undefined) => void }) {
  const [kind, setKind] = useState<"webhook" | "email">("webhook");
  const [name, setName] = useState("");
  const [where, setWhere] = useState("");
  const [level, setLevel] = useState<Schemas["Severity"]>("medium");
  const f = useId();
  return (
    <Act
      label="Add receiver"
      primary
      title="Tell somebody"
      reason="none"
      confirm="Add"
      preview={<p className="quiet">It is told of every incident of the chosen severity or worse from now on.</p>}
      extra={
        <>
          <div className="seg" role="group" aria-label="Kind">
            <button type="button" aria-pressed={kind === "webhook"} onClick={() => setKind("webhook")}>Webhook</button>
            <button type="button" aria-pressed={kind === "email"} onClick={() => setKind("email")}>Mail</button>
          </div>
          <label className="field" htmlFor={`${f}n`}>Name
            <input id={`${f}n`} className="input" required maxLength={80} value={name} onChange={(e) => setName(e.target.value)} />
          </label>
          <label className="field" htmlFor={`${f}w`}>{kind === "webhook" ? "URL" : "Address"}
            <input id={`${f}w`} className="input mono" type={kind === "webhook" ? "url" : "email"} required maxLength={2000} value={where} onChange={(e) => setWhere(e.target.value)} />
          </label>
          <label className="field" htmlFor={`${f}l`}>From which severity on
            <select id={`${f}l`} className="input" value={level} onChange={(e) => setLevel(e.target.value as Schemas["Severity"])}>{LEVELS.map((l) => <option key={l} value={l}>{SEVERITIES[l].word}</option>)}</select>
          </label>
        </>
      }
      act={async () => {
        const made = await must(api.POST("/notification-channels", { body: { kind, name, ...(kind === "webhook" ? { url: where } : { to: where }), minimumSeverity: level } }));
        onSecret(made.secret);
        return made;
      }}
      done={(c) => `${c.name} will be told.`}
    />
  );
}

function NeverIsolate() {
  const list = useQuery(neverIsolateQuery);
  const [text, setText] = useState<string>();
  const f = useId();
  const now = list.data?.selectors.join("\n") ?? "";
  return (
    <Panel
      title="Never isolated by itself"
      tools={
        list.data && (
          <Act
            label="Change"
            title="Devices that no automatic response may isolate"
            confirm="Set this list"
            preview={<p className="quiet">One selector a line. A person may still isolate these devices. Findings about them open incidents and tell people as ever.</p>}
            extra={
              <label className="field" htmlFor={`${f}t`}>Selectors
                <textarea id={`${f}t`} className="input mono" rows={5} value={text ?? now} onChange={(e) => setText(e.target.value)} />
              </label>
            }
            act={(reason) => must(api.PUT("/never-isolate", { params: { header: { "If-Match": list.data.etag } }, body: { selectors: (text ?? now).split("\n").map((s) => s.trim()).filter(Boolean), reason } }))}
            done="The list is set."
          />
        )
      }
    >
      {list.error ? <ProblemNotice error={list.error} /> : !list.data ? <Skeleton /> : list.data.selectors.length === 0 ? (
        <p className="quiet">None. Put those here whose loss is worse than their misbehaviour: a hospital’s meters, the gateways.</p>
      ) : (
        <div className="stack-s">
          <div className="row wrap">{list.data.selectors.map((s) => <code key={s} className="chip">{s}</code>)}</div>
          {list.data.devices !== undefined && <span className="small quiet">{many(list.data.devices, "device")} match now.</span>}
        </div>
      )}
    </Panel>
  );
}
