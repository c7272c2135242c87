import { useQuery } from "@tanstack/react-query";
import { serverQuery } from "../api/queries";
import { Mark, State } from "../parts/Mark";
import { Empty, Page, Panel, ProblemNotice, Skeleton } from "../parts/Page";
import { Table } from "../parts/Table";
import { many } from "../parts/time";
import { When } from "../parts/When";

const RESULTS = { ok: { word: "well", tone: "good" }, warning: { word: "watch", tone: "watch" }, failed: { word: "failed", tone: "bad" } } as const;

/// Is this server well?
export function ThisServer() {
  const query = useQuery({ ...serverQuery, refetchInterval: 30_000 });
  const server = query.data;
  const failed = server?.checks.filter((c) => c.result === "failed").length ?? 0;
  const warned = server?.checks.filter((c) => c.result === "warning").length ?? 0;
  return (
    <Page
      title="This server"
      question="Is this server well?"
      tone={server ? (failed ? "bad" : warned ? "watch" : "good") : undefined}
      answer={!server ? query.error ? "Not known." : <Skeleton width="16ch" height={26} /> : failed ? `No: ${many(failed, "check")} failed.` : warned ? `Yes, with ${many(warned, "warning")}.` : "Yes, every check passed."}
      more={server && <>Version {server.version}, environment {server.environment}{server.publicHostName && <>, known as {server.publicHostName}</>}; started <When at={server.startedAt} />.</>}
    >
      {query.error && !server && <ProblemNotice error={query.error} retry={() => void query.refetch()} />}
      {server?.development && (
        <div className="notice watch">
          <Mark tone="watch" />
          <div className="stack-s">
            <strong>DEVELOPMENT: not for production</strong>
            <ul className="reasons">{server.developmentBecause.map((b) => <li key={b}>{b}</li>)}</ul>
          </div>
        </div>
      )}
      <Panel title="Checks" flush>
        <Table
          caption="Checks"
          rows={server?.checks}
          rowKey={(c) => c.name}
          empty={<Empty title="No checks." />}
          columns={[
            { key: "name", head: "Check", phone: "title", cell: (c) => <strong>{c.name}</strong> },
            { key: "result", head: "Result", phone: "side", cell: (c) => <State tone={RESULTS[c.result].tone}>{RESULTS[c.result].word}</State> },
            { key: "sentence", head: "What was seen", phone: "full", cell: (c) => c.sentence },
            { key: "fix", head: "What to do", phone: "full", cell: (c) => c.fix ?? "" },
          ]}
        />
      </Panel>
      <Panel title="Listeners" flush>
        <Table
          caption="Listeners"
          rows={server?.listeners}
          rowKey={(l) => l.name}
          empty={<Empty title="No listeners." />}
          columns={[
            { key: "name", head: "For", phone: "title", cell: (l) => <strong>{{ operator: "operators", device: "devices, HTTPS", "channel-bound": "devices, EST bound to its channel", mqtt: "devices, MQTT", pki: "OCSP and revocation lists", syslog: "syslog", ipfix: "IPFIX" }[l.name]}</strong> },
            { key: "tls", head: "TLS", phone: "side", cell: (l) => (l.tls ? "yes" : "no") },
            { key: "at", head: "Listens on", label: "on", cell: (l) => <code>{l.host}:{l.port}</code> },
            { key: "url", head: "Handed out as", phone: "full", cell: (l) => (l.url ? <code className="break">{l.url}</code> : "") },
          ]}
        />
      </Panel>
    </Page>
  );
}
