import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import type { Schemas } from "../api/client";
import { authoritiesQuery, certificateQuery } from "../api/queries";
import { Revoke, Rotate } from "../parts/CertificateTable";
import { CodeBlock } from "../parts/Copy";
import { State } from "../parts/Mark";
import { Page, Panel, ProblemNotice, Skeleton, SkeletonLines } from "../parts/Page";
import { Untrusted } from "../parts/Untrusted";
import { When } from "../parts/When";
import { CERTIFICATE_STATUS } from "../parts/words";

/// What is this certificate, and does it still count?
export function Certificate() {
  const { serial } = useParams({ from: "/gate/certificates/$serial" });
  const query = useQuery(certificateQuery(serial));
  const certificate = query.data;
  const status = certificate && CERTIFICATE_STATUS[certificate.status];
  return (
    <Page
      title={`Certificate ${serial.slice(0, 8)}`}
      crumb={<Link to="/certificates">Certificates</Link>}
      question="Does this certificate still count?"
      tone={status?.tone ?? (query.error ? "unknown" : undefined)}
      answer={certificate ? answer(certificate) : query.error ? "Not known." : <Skeleton width="22ch" height={26} />}
      more={status?.meaning}
      actions={certificate?.status === "valid" ? <><Rotate certificate={certificate} /><Revoke certificate={certificate} /></> : undefined}
    >
      {query.error && !certificate && <ProblemNotice error={query.error} retry={() => void query.refetch()} />}
      <div className="cols">
        <div className="stack-l">
          <Panel title="What it is">{certificate ? <Facts certificate={certificate} /> : <SkeletonLines />}</Panel>
          {certificate?.pem && <Panel title="For other tools"><CodeBlock label="PEM" text={certificate.pem} /></Panel>}
        </div>
        <Panel title="Who vouches for it" flush>{certificate ? <Chain certificate={certificate} /> : <SkeletonLines />}</Panel>
      </div>
    </Page>
  );
}

function answer(c: Schemas["Certificate"]): React.ReactNode {
  switch (c.status) {
    case "valid":
      return <>Yes, it ends <When at={c.notAfter} />.</>;
    case "superseded":
      return "No: its successor is in use.";
    case "revoked":
      return <>No: it was {c.revocationCode === "certificateHold" ? "put on hold" : "revoked"} <When at={c.revokedAt} />.</>;
    case "expired":
      return <>No: it ended <When at={c.notAfter} />.</>;
  }
}

function Facts({ certificate: c }: { certificate: Schemas["Certificate"] }) {
  return (
    <dl className="kv">
      <dt>Device</dt>
      <dd><Link className="mono" to="/devices/$id" params={{ id: c.device }}>{c.device}</Link></dd>
      <dt>Status</dt>
      <dd><State tone={CERTIFICATE_STATUS[c.status].tone}>{CERTIFICATE_STATUS[c.status].word}</State>{c.revocationCode && <span className="quiet"> {c.revocationCode}{c.revocationReason && `, ${c.revocationReason}`}</span>}</dd>
      {c.subject && <><dt>Subject</dt><dd><Untrusted text={c.subject} /></dd></>}
      <dt>Profile</dt>
      <dd>{c.profile}</dd>
      <dt>Valid from</dt>
      <dd><When at={c.notBefore} /></dd>
      <dt>Ends</dt>
      <dd><When at={c.notAfter} /></dd>
      <dt>Issued</dt>
      <dd><When at={c.issuedAt} none="not signed yet" /></dd>
      <dt>Serial</dt>
      <dd><code className="break">{c.serial}</code></dd>
      {c.sha256 && <><dt>SHA-256</dt><dd><code className="break">{c.sha256}</code></dd></>}
      <dt>Journal</dt>
      <dd><Link to="/journal" search={{ subject: `device:${c.device}` }}>Entries of its device</Link></dd>
    </dl>
  );
}

function Chain({ certificate: c }: { certificate: Schemas["Certificate"] }) {
  const authorities = useQuery(authoritiesQuery);
  const issuer = authorities.data?.authorities.find((a) => a.name === c.issuer);
  const root = authorities.data?.authorities.find((a) => a.kind === "root");
  return (
    <ol className="chain">
      <li><strong className="break">{c.subject ?? c.device}</strong><span className="small quiet">this certificate</span></li>
      <li>
        <strong><Untrusted text={issuer?.subject ?? c.issuer ?? "not known"} /></strong>
        <span className="small quiet">{issuer ? <>issues for devices, ends <When at={issuer.notAfter} />{issuer.development && ", marked DEVELOPMENT"}</> : "its issuer"}</span>
      </li>
      {root && (
        <li>
          <strong><Untrusted text={root.subject} /></strong>
          <span className="small quiet">the root, ends <When at={root.notAfter} /></span>
        </li>
      )}
    </ol>
  );
}
