import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useId, useState } from "react";
import type { Schemas } from "../api/client";
import { certificatesQuery, forecastQuery } from "../api/queries";
import { AcmeAccounts, Anchors, Authorities, Concerns, Keys, Profiles, Waiting } from "../parts/Credentials";
import { CertificateTable } from "../parts/CertificateTable";
import { ForecastChart } from "../parts/ForecastChart";
import { Empty, Page, Panel, ProblemNotice, Skeleton } from "../parts/Page";
import { Rollovers } from "../parts/Rollovers";
import { CERTIFICATE_STATUS } from "../parts/words";

const STATUSES = Object.keys(CERTIFICATE_STATUS) as Schemas["CertificateStatus"][];

/// Can every device still prove who it is next month?
export function Certificates() {
  const [by, setBy] = useState<"day" | "week">("day");
  const forecast = useQuery(forecastQuery(by === "day" ? 90 : 399, by));
  const answer = forecast.data?.answer;
  return (
    <Page
      title="Certificates"
      question="Can every device still prove who it is next month?"
      tone={answer?.word ?? (forecast.error ? "unknown" : undefined)}
      answer={answer?.sentence ?? (forecast.error ? "Not known." : <Skeleton width="30ch" height={26} />)}
      more={<>{answer?.advice && <>{answer.advice} </>}Devices and tools need our anchors: <a href="/api/v1/ca.pem" download="ca.pem">ca.pem</a>.</>}
    >
      <Panel
        title="When certificates end"
        tools={
          <div className="seg" role="group" aria-label="How far">
            <button type="button" aria-pressed={by === "day"} onClick={() => setBy("day")}>90 days</button>
            <button type="button" aria-pressed={by === "week"} onClick={() => setBy("week")}>A year</button>
          </div>
        }
      >
        {forecast.error && !forecast.data ? <ProblemNotice error={forecast.error} retry={() => void forecast.refetch()} /> : <ForecastChart forecast={forecast.data} />}
      </Panel>
      <Concerns />
      <Rollovers />
      <Waiting />
      <DeviceCertificates />
      <Keys />
      <Profiles />
      <Authorities />
      <Anchors />
      <AcmeAccounts />
    </Page>
  );
}

function DeviceCertificates() {
  const [status, setStatus] = useState<Schemas["CertificateStatus"] | "">("");
  const [device, setDevice] = useState("");
  const [typed, setTyped] = useState("");
  const navigate = useNavigate();
  const field = useId();
  const certificates = useInfiniteQuery(certificatesQuery(status || undefined, device || undefined));
  const look = () => {
    const text = typed.trim();
    // A serial number is 128 bits in hexadecimal; no device is called so.
    if (/^[0-9a-f:]{24,60}$/i.test(text)) void navigate({ to: "/certificates/$serial", params: { serial: text.replaceAll(":", "").toLowerCase() } });
    else setDevice(text);
  };
  return (
    <Panel
      title="Device certificates"
      flush
      tools={
        <form
          className="filters"
          onSubmit={(event) => {
            event.preventDefault();
            look();
          }}
        >
          <label className="field wide" htmlFor={field}>
            <span className="sr">Device id or serial number</span>
            <input id={field} className="input" type="search" maxLength={64} placeholder="Device id, or serial number" value={typed} onChange={(event) => { setTyped(event.target.value); if (event.target.value === "") setDevice(""); }} />
          </label>
          <button type="submit" className="btn">Look</button>
          <select className="input auto" aria-label="Status" value={status} onChange={(event) => setStatus(event.target.value as typeof status)}>
            <option value="">any status</option>
            {STATUSES.map((s) => <option key={s} value={s}>{CERTIFICATE_STATUS[s].word}</option>)}
          </select>
        </form>
      }
    >
      <CertificateTable
        withDevice
        rows={certificates.data?.pages.flatMap((page) => page.certificates)}
        error={certificates.error}
        retry={() => void certificates.refetch()}
        empty={
          device || status ? (
            <Empty title={device ? `No certificate of a device called ${device}${status ? " with this status" : ""}.` : "None with this status."}><p className="quiet">Ids are exact. Part of an id is looked for under Devices.</p></Empty>
          ) : (
            <Empty title="No certificate yet."><p className="quiet">Each device gets its own when it enrols.</p></Empty>
          )
        }
        more={{ has: certificates.hasNextPage, busy: certificates.isFetchingNextPage, load: () => void certificates.fetchNextPage() }}
      />
    </Panel>
  );
}
