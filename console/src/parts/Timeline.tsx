import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useDeferredValue, useId, useState } from "react";
import type { Schemas } from "../api/client";
import { logsQuery, timelineQuery } from "../api/queries";
import { Mark, type Tone } from "./Mark";
import { Empty, ProblemNotice, SkeletonLines } from "./Page";
import { Untrusted } from "./Untrusted";
import { When } from "./When";
import { PROVENANCES, SEVERITIES } from "./words";

const KINDS: Record<Schemas["TimelineItem"]["kind"], string> = { change: "change", finding: "finding", "connection-failure": "refused", event: "said by the device", incident: "incident", rollout: "rollout", session: "session" };

function tone(item: Schemas["TimelineItem"]): Tone {
  if (item.severity) return SEVERITIES[item.severity].tone;
  if (item.kind === "connection-failure") return "watch";
  return item.kind === "session" ? "good" : "calm";
}

export function TimelineItems({ items }: { items: readonly Schemas["TimelineItem"][] }) {
  return (
    <ol className="timeline">
      {items.map((item, i) => (
        <li key={`${item.at}${item.kind}${i}`}>
          <When at={item.at} />
          <span className="dot"><Mark tone={tone(item)} /></span>
          <div className="stack-s">
            <span className="break"><Untrusted text={item.title} /></span>
            <span className="small quiet break">
              {KINDS[item.kind]}
              {item.provenance && `, ${PROVENANCES[item.provenance].word}`}
              {item.detail && <>: <Untrusted text={item.detail.replace(/\.$/, "")} /></>}
              {item.actor && <>. By <Untrusted text={item.actor} /></>}
              {item.incident && <>. <Link to="/incidents/$id" params={{ id: item.incident }}>Incident</Link></>}
              {item.rollout && <>. <Link to="/rollouts/$id" params={{ id: item.rollout }}>Rollout</Link></>}
              {item.journal !== undefined && <>. Journal {item.journal}</>}
            </span>
          </div>
        </li>
      ))}
    </ol>
  );
}

/// What happened to and around the device, newest first.
export function Timeline({ id }: { id: string }) {
  const query = useInfiniteQuery(timelineQuery(id));
  if (query.error && !query.data) return <div className="empty"><ProblemNotice error={query.error} retry={() => void query.refetch()} /></div>;
  if (!query.data) return <SkeletonLines />;
  const items = query.data.pages.flatMap((page) => page.items);
  if (items.length === 0) return <Empty title="Nothing has happened yet." />;
  return (
    <>
      <TimelineItems items={items} />
      {query.hasNextPage && (
        <div className="more">
          <span />
          <button type="button" className="btn" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>Show older</button>
        </div>
      )}
    </>
  );
}

const SEVERITY_TONES: Record<Schemas["LogSeverity"], Tone> = { emerg: "bad", alert: "bad", crit: "bad", err: "bad", warning: "watch", notice: "calm", info: "calm", debug: "calm" };
const LOG_SEVERITIES = Object.keys(SEVERITY_TONES) as Schemas["LogSeverity"][];

/// The device's own words: text, never markup, control characters visible.
export function Logs({ id }: { id: string }) {
  const [search, setSearch] = useState("");
  const [severity, setSeverity] = useState<Schemas["LogSeverity"] | "">("");
  const query = useInfiniteQuery(logsQuery(id, useDeferredValue(search), severity || undefined));
  const fields = useId();
  const lines = query.data?.pages.flatMap((page) => page.lines);
  return (
    <>
      <div className="toolbar pad">
        <label className="field" htmlFor={`${fields}s`}>
          Words that must occur
          <input id={`${fields}s`} className="input" type="search" maxLength={200} value={search} onChange={(event) => setSearch(event.target.value)} />
        </label>
        <label className="field" htmlFor={`${fields}v`}>
          This severity or worse
          <select id={`${fields}v`} className="input" value={severity} onChange={(event) => setSeverity(event.target.value as Schemas["LogSeverity"] | "")}>
            <option value="">any</option>
            {LOG_SEVERITIES.map((s) => <option key={s} value={s}>{s}</option>)}
          </select>
        </label>
      </div>
      {query.error && !lines ? (
        <div className="empty"><ProblemNotice error={query.error} /></div>
      ) : !lines ? (
        <SkeletonLines />
      ) : lines.length === 0 ? (
        <Empty title={search || severity ? "No line matches." : "No log lines."}>
          <p className="quiet">A device logs by publishing to <code>d/{id}/log</code>, or by syslog over TLS.</p>
        </Empty>
      ) : (
        <ol className="log">
          {lines.map((line, i) => (
            <li key={`${line.at}${i}`}>
              <When at={line.at} />
              <span className={`state ${SEVERITY_TONES[line.severity]}`}>{line.severity}</span>
              <Untrusted text={line.text} />
            </li>
          ))}
        </ol>
      )}
      {query.hasNextPage && (
        <div className="more">
          <span />
          <button type="button" className="btn" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>Show older</button>
        </div>
      )}
    </>
  );
}
