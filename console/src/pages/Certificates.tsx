import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { api, must, type Schemas } from "../api/client";
import { anchorsQuery, authoritiesQuery, certificatesQuery } from "../api/queries";
import { Act } from "../parts/Act";
import { CertificateTable } from "../parts/CertificateTable";
import { State } from "../parts/Mark";
import { Empty, Page, Panel, Skeleton } from "../parts/Page";
import { Table } from "../parts/Table";
import { many } from "../parts/time";
import { Untrusted } from "../parts/Untrusted";
import { When } from "../parts/When";
import { CERTIFICATE_STATUS } from "../parts/words";

const STATUSES = Object.keys(CERTIFICATE_STATUS) as Schemas["CertificateStatus"][];

/// Who vouches for our devices?
export function Certificates() {
  const [status, setStatus] = useState<Schemas["CertificateStatus"] | "">("");
  const authorities = useQuery(authoritiesQuery);
  const anchors = useQuery(anchorsQuery);
  const certificates = useInfiniteQuery(certificatesQuery(status || undefined));
  const issuing = authorities.data?.authorities.filter((a) => a.kind === "issuing").length ?? 0;
  const development = authorities.data?.authorities.some((a) => a.development);
  return (
    <Page
      title="Certificates"
      question="Who vouches for our devices?"
      tone={development ? "watch" : authorities.data ? "good" : undefined}
      answer={authorities.data ? `${many(issuing, "issuing authority", "issuing authorities")} of our own${development ? ", marked DEVELOPMENT" : ""}.` : authorities.error ? "Not known." : <Skeleton width="22ch" height={26} />}
      more={<>Devices and tools need the anchors: <a href="/api/v1/ca.pem" download="ca.pem">ca.pem</a>.</>}
    >
      <Panel title="Authorities" flush>
        <Table
          caption="Authorities"
          rows={authorities.data?.authorities}
          rowKey={(a) => a.sha256}
          error={authorities.error}
          empty={<Empty title="No authority." />}
          columns={[
            { key: "subject", head: "Subject", phone: "title", cell: (a) => <strong><Untrusted text={a.subject} /></strong> },
            { key: "kind", head: "Kind", phone: "side", cell: (a) => a.kind },
            { key: "print", head: "SHA-256", label: "sha256", cell: (a) => <code title={a.sha256}>{a.sha256.slice(0, 16)}…</code> },
            { key: "marked", head: "Marked", cell: (a) => (a.development ? <State tone="watch">DEVELOPMENT</State> : "production") },
            { key: "crl", head: "Revocation list", phone: "full", cell: (a) => (a.crlUrl ? <code className="break">{a.crlUrl}</code> : <span className="quiet">none</span>) },
            { key: "ends", head: "Ends", label: "ends", cell: (a) => <When at={a.notAfter} /> },
          ]}
        />
      </Panel>
      <Panel
        title="Device certificates"
        flush
        tools={
          <select className="input auto" aria-label="Status" value={status} onChange={(event) => setStatus(event.target.value as typeof status)}>
            <option value="">any status</option>
            {STATUSES.map((s) => <option key={s} value={s}>{CERTIFICATE_STATUS[s].word}</option>)}
          </select>
        }
      >
        <CertificateTable
          withDevice
          rows={certificates.data?.pages.flatMap((page) => page.certificates)}
          error={certificates.error}
          retry={() => void certificates.refetch()}
          empty={<Empty title={status ? "None with this status." : "No certificate yet."}><p className="quiet">Each device gets its own when it enrols.</p></Empty>}
          more={{ has: certificates.hasNextPage, busy: certificates.isFetchingNextPage, load: () => void certificates.fetchNextPage() }}
        />
      </Panel>
      <Panel title="Manufacturers we trust for first enrolment" flush tools={<AddAnchor />}>
        <Table
          caption="Manufacturers"
          rows={anchors.data?.anchors}
          rowKey={(a) => a.id}
          error={anchors.error}
          empty={<Empty title="No manufacturer yet."><p className="quiet">With a manufacturer’s CA here and its serial numbers registered, devices enrol with the certificate they were born with, and no token is needed.</p></Empty>}
          columns={[
            { key: "name", head: "Name", phone: "title", cell: (a) => <strong><Untrusted text={a.name} /></strong> },
            { key: "subject", head: "Subject", phone: "full", cell: (a) => <Untrusted text={a.subject} /> },
            { key: "ends", head: "Ends", phone: "side", cell: (a) => <When at={a.notAfter} /> },
            {
              key: "act", head: "", phone: "act",
              cell: (a) => (
                <Act label="Remove" danger quiet reason="none" title={`Trust ${a.name} no more`} confirm="Remove" preview={<p className="quiet">Its devices can no longer enrol for the first time. Those enrolled already stay. To undo: add it again.</p>} act={() => must(api.DELETE("/manufacturer-anchors/{id}", { params: { path: { id: a.id } } }))} done="The manufacturer is removed." />
              ),
            },
          ]}
        />
      </Panel>
    </Page>
  );
}

function AddAnchor() {
  const [name, setName] = useState("");
  const [pem, setPem] = useState("");
  const f = useId();
  return (
    <Act
      label="Add manufacturer"
      title="Trust a manufacturer’s CA"
      reason="none"
      confirm="Trust it"
      preview={<p className="quiet">A device with a certificate of this CA and a registered serial number may enrol by itself.</p>}
      extra={
        <>
          <label className="field" htmlFor={`${f}n`}>Name
            <input id={`${f}n`} className="input" required maxLength={80} value={name} onChange={(e) => setName(e.target.value)} />
          </label>
          <label className="field" htmlFor={`${f}p`}>CA certificate, PEM
            <textarea id={`${f}p`} className="input mono" rows={6} required maxLength={20000} placeholder="-----BEGIN CERTIFICATE-----" value={pem} onChange={(e) => setPem(e.target.value)} />
          </label>
        </>
      }
      act={() => must(api.POST("/manufacturer-anchors", { body: { name, pem } }))}
      done="The manufacturer is trusted."
    />
  );
}
