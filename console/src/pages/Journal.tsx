import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useId, useState } from "react";
import { api, must, type Schemas } from "../api/client";
import { journalQuery } from "../api/queries";
import { Mark } from "../parts/Mark";
import { Empty, Page, Panel, ProblemNotice, Skeleton } from "../parts/Page";
import { Table } from "../parts/Table";
import { count } from "../parts/time";
import { Untrusted } from "../parts/Untrusted";
import { When } from "../parts/When";

/// Who did what, and has anything been altered?
export function Journal() {
  const { kind = "", subject = "" } = useSearch({ from: "/gate/journal" });
  const navigate = useNavigate();
  const query = useInfiniteQuery(journalQuery(kind, subject));
  const verify = useMutation({ mutationFn: () => must(api.GET("/journal/verify")) });
  const head = query.data?.pages[0]?.head;
  const [kindText, setKind] = useState(kind);
  const [subjectText, setSubject] = useState(subject);
  const f = useId();
  const result = verify.data;
  return (
    <Page
      title="Journal"
      question="Who did what, and has anything been altered?"
      tone={result ? (result.intact ? "good" : "bad") : undefined}
      answer={result ? result.sentence : head ? `${count(head.number)} entries, each chained to the one before.` : query.error ? "Not known." : <Skeleton width="24ch" height={26} />}
      more={
        <>
          {result?.fault && <><strong>Entry {count(result.fault.number)}</strong>: {result.fault.what}. </>}
          {head && <>Head <code className="break" title={head.chainHash}>{head.chainHash.slice(0, 24)}…</code>. <code>holdfast audit verify</code> checks the chain without trusting this server.</>}
        </>
      }
      actions={<button type="button" className="btn primary" disabled={verify.isPending} onClick={() => verify.mutate()}>{verify.isPending ? "Reading every entry…" : "Verify the chain"}</button>}
    >
      {verify.error && <ProblemNotice error={verify.error} />}
      <Panel
        title={<span className="sr">Entries</span>}
        flush
        tools={
          <form
            className="filters"
            role="search"
            onSubmit={(event) => {
              event.preventDefault();
              void navigate({ to: "/journal", search: { kind: kindText.trim() || undefined, subject: subjectText.trim() || undefined }, replace: true });
            }}
          >
            <label className="field" htmlFor={`${f}k`}>Kind, for example device. or rollout.
              <input id={`${f}k`} className="input mono" maxLength={80} value={kindText} onChange={(e) => setKind(e.target.value)} />
            </label>
            <label className="field" htmlFor={`${f}s`}>Subject, for example device:meter-0001
              <input id={`${f}s`} className="input mono" maxLength={200} value={subjectText} onChange={(e) => setSubject(e.target.value)} />
            </label>
            <button type="submit" className="btn">Show</button>
          </form>
        }
      >
        <Table<Schemas["JournalEntry"]>
          caption="Journal entries"
          rows={query.data?.pages.flatMap((page) => page.entries)}
          rowKey={(e) => String(e.number)}
          pending={query.isFetching}
          error={query.error}
          retry={() => void query.refetch()}
          empty={<Empty title={kind || subject ? "No entry matches." : "Nothing is recorded yet."}><p className="quiet">Every change that matters is written here in the same transaction as the change itself.</p></Empty>}
          more={{ has: query.hasNextPage, busy: query.isFetchingNextPage, load: () => void query.fetchNextPage() }}
          columns={[
            { key: "number", head: "Number", phone: "hide", numeric: true, cell: (e) => count(e.number) },
            { key: "kind", head: "What", phone: "title", cell: (e) => <code className="nowrap">{e.kind}</code> },
            { key: "subject", head: "Subject", phone: "line", cell: (e) => <span className="whole"><Subject subject={e.subject} /></span> },
            { key: "reason", head: "Why", phone: "full", cell: (e) => <span className="clip-2"><Untrusted text={e.reason} /></span> },
            { key: "actor", head: "Who", label: "by", cell: (e) => <Untrusted text={e.actorName ?? e.actor} /> },
            { key: "at", head: "When", phone: "side", cell: (e) => <When at={e.at} /> },
            { key: "body", head: "Details", phone: "full", cell: (e) => <details className="entry-body"><summary>Show<span className="sr"> details of entry {e.number}</span></summary><pre className="code" tabIndex={0} role="region" aria-label={`Entry ${e.number}`}>{JSON.stringify(e.body, null, 2).split("\n").map((line, i) => <div key={i}><Untrusted text={line} /></div>)}</pre></details> },
          ]}
        />
      </Panel>
      {result && !result.intact && <div className="notice bad"><Mark tone="bad" /><span>Compare with a checkpoint that left this machine, keep the data folder as it is, and read the operations guide on altered journals.</span></div>}
    </Page>
  );
}

function Subject({ subject }: { subject: string }) {
  const [kind = "", id = ""] = [subject.slice(0, subject.indexOf(":")), subject.slice(subject.indexOf(":") + 1)];
  if (kind === "device" && id) return <Link className="mono" to="/devices/$id" params={{ id }}><Untrusted text={id} /></Link>;
  if (kind === "rollout" && id) return <Link className="mono" to="/rollouts/$id" params={{ id }}><Untrusted text={subject} /></Link>;
  if (kind === "incident" && id) return <Link className="mono" to="/incidents/$id" params={{ id }}><Untrusted text={subject} /></Link>;
  return <span className="mono"><Untrusted text={subject} /></span>;
}
