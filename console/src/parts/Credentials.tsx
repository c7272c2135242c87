import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useId, useState } from "react";
import { api, must, type Schemas } from "../api/client";
import { acmeAccountsQuery, anchorsQuery, authoritiesQuery, certificateKeysQuery, modelsQuery, profilesQuery, rogueQuery, waitingRequestsQuery } from "../api/queries";
import { Act, Consequence } from "./Act";
import { Mark, State } from "./Mark";
import { Empty, Panel } from "./Page";
import { Table } from "./Table";
import { count, duration, many } from "./time";
import { Untrusted } from "./Untrusted";
import { When } from "./When";
import { fact } from "./words";

/// The parts of the page about certificates that are not the picture and the list.

/// What is not as it should be; nothing is shown when all is.
export function Concerns() {
  const rogue = useQuery(rogueQuery);
  const keys = useQuery(certificateKeysQuery);
  const rogues = rogue.data?.certificates ?? [];
  const shared = keys.data?.shared ?? [];
  const weak = keys.data?.weak ?? 0;
  if (rogues.length === 0 && shared.length === 0 && weak === 0) return null;
  return (
    <Panel title="Not as it should be" flush>
      <ul className="concerns">
        {rogues.map((r) => (
          <li key={r.sha256}>
            <Mark tone="bad" title="bad" />
            <div className="stack-s grow">
              <span><strong>A certificate that the key of {r.authority} signed and nobody here issued</strong>: <Untrusted text={r.subject} />, serial <code className="break">{r.serial}</code></span>
              <span className="small quiet">shown {many(r.times, "time")}, last <When at={r.lastSeenAt} /> from <code>{r.remoteAddress}</code>. The device it names is not accused. <Link to="/incidents">Its incident</Link></span>
            </div>
          </li>
        ))}
        {weak > 0 && (
          <li>
            <Mark tone="watch" title="watch" />
            <span>{many(weak, "certificate has a key", "certificates have a key")} of a kind that the profile would not take today; {weak === 1 ? "it is" : "they are"} replaced at the next renewal when the device makes another key.</span>
          </li>
        )}
        {shared.map((s) => (
          <li key={s.device}>
            <Mark tone="watch" title="watch" />
            <span>Key in two places: <Untrusted text={s.seen} />, <When at={s.at} />. <Link to="/devices/$id" params={{ id: s.device }} className="mono">{s.device}</Link></span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/// Requests that a person decides about; nothing is shown when none waits.
export function Waiting() {
  const waiting = useQuery(waitingRequestsQuery);
  const rows = waiting.data?.requests ?? [];
  if (rows.length === 0) return null;
  return (
    <Panel title={`${many(rows.length, "request waits", "requests wait")} for a person`} flush>
      <Table
        caption="Requests that wait for a person"
        rows={rows}
        rowKey={(r) => r.id}
        empty={null}
        columns={[
          { key: "device", head: "Device", phone: "title", cell: (r) => (r.device ? <Link className="key mono nowrap" to="/devices/$id" params={{ id: r.device }}>{r.device}</Link> : r.serialNumber ? <span className="quiet">serial <Untrusted text={r.serialNumber} /></span> : <span className="quiet">not said</span>) },
          { key: "cause", head: "Why a person", phone: "full", cell: (r) => <>{fact(r.cause)}: <Untrusted text={r.detail} /></> },
          { key: "by", head: "Shown", label: "shows", cell: (r) => r.credential },
          { key: "key", head: "Key", phone: "hide", cell: (r) => <code title={r.key}>{r.key.slice(0, 16)}…</code> },
          { key: "asked", head: "Asked", phone: "side", cell: (r) => <><When at={r.lastAskedAt} /> <span className="quiet">{r.timesAsked > 1 && `${count(r.timesAsked)} times`}</span></> },
          { key: "act", head: "", phone: "act", cell: (r) => <span className="row wrap"><Decide request={r} approve /><Decide request={r} approve={false} /></span> },
        ]}
      />
    </Panel>
  );
}

/// A product that nobody registered is approved by saying which device it is; every other request as it stands.
function Decide({ request, approve }: { request: Schemas["EnrolmentRequest"]; approve: boolean }) {
  if (approve && request.cause === "unregistered-serial") return <Name request={request} />;
  return <Plainly request={request} approve={approve} />;
}

function Name({ request }: { request: Schemas["EnrolmentRequest"] }) {
  const models = useQuery(modelsQuery);
  const known = models.data?.models ?? [];
  const [device, setDevice] = useState("");
  const [model, setModel] = useState("");
  const [registered, setRegistered] = useState(false);
  const [district, setDistrict] = useState("");
  const f = useId();
  const serial = request.serialNumber ?? "";
  const id = device.trim() || serial;
  const chosen = model || (known[0]?.id ?? "");
  return (
    <Act
      label="Approve"
      title="Which device is this product?"
      confirm="Approve 1 request"
      preview={
        <Consequence
          many={registered ? "1 request, and a product registered for its device" : "1 request, and 1 device registered with its product"}
          which={<>serial number <Untrusted text={serial} />{request.manufacturer && <>, made by <code className="break">{request.manufacturer.slice(0, 16)}…</code></>}</>}
          until="it is granted when the product asks again, as it does by itself"
          undo="Revoke the certificate, and retire the device."
          also={<><dt>Known of it</dt><dd><Untrusted text={request.detail} /></dd></>}
        />
      }
      extra={
        <>
          <label className="field" htmlFor={`${f}d`}>Device’s id (left empty: its serial number)
            <input id={`${f}d`} className="input mono" pattern="[A-Za-z0-9][A-Za-z0-9._\-]{0,63}" maxLength={64} autoComplete="off" placeholder={serial} required={!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(serial)} value={device} onChange={(event) => setDevice(event.target.value)} />
          </label>
          <label className="check" htmlFor={`${f}r`}>
            <input id={`${f}r`} type="checkbox" checked={registered} onChange={(event) => setRegistered(event.target.checked)} />
            <span>A device with this id is registered already</span>
          </label>
          {!registered && (
            <div className="form-grid">
              <label className="field" htmlFor={`${f}m`}>Model
                <select id={`${f}m`} className="input" required value={chosen} onChange={(event) => setModel(event.target.value)}>
                  {known.map((m) => <option key={m.id} value={m.id}>{m.id} ({m.vendor})</option>)}
                </select>
              </label>
              <label className="field" htmlFor={`${f}l`}>District (label, may stay empty)
                <input id={`${f}l`} className="input" maxLength={63} value={district} onChange={(event) => setDistrict(event.target.value)} />
              </label>
            </div>
          )}
        </>
      }
      act={(reason, key) => must(api.POST("/enrolment-requests/{id}/approve", {
        params: { path: { id: request.id }, header: { "Idempotency-Key": key } },
        body: {
          reason,
          ...(device.trim() ? { device: device.trim() } : {}),
          ...(registered ? {} : { model: chosen, ...(district.trim() ? { labels: { district: district.trim() } } : {}) }),
        },
      }))}
      done={`Approved: ${id} gets its certificate when it asks again.`}
      wide
    />
  );
}

function Plainly({ request, approve }: { request: Schemas["EnrolmentRequest"]; approve: boolean }) {
  const whose = request.device ?? "a device that is not known";
  const send = (reason: string, key: string) => {
    const options = { params: { path: { id: request.id }, header: { "Idempotency-Key": key } }, body: { reason } };
    return must(approve ? api.POST("/enrolment-requests/{id}/approve", options) : api.POST("/enrolment-requests/{id}/refuse", options));
  };
  return (
    <Act
      label={approve ? "Approve" : "Refuse"}
      danger={!approve}
      quiet={!approve}
      title={approve ? `A certificate for ${whose}` : `No certificate for ${whose}`}
      confirm={approve ? "Approve 1 request" : "Refuse 1 request"}
      preview={
        <Consequence
          many="1 request"
          which={<>that of <code>{whose}</code> with the key <code className="break">{request.key.slice(0, 32)}…</code></>}
          until={approve ? "it is granted when the device asks again, as it does by itself" : "the device is told so when it asks again"}
          undo={approve ? "Revoke the certificate." : "Let the device ask with another key, or make it a one-time token."}
          also={<><dt>Known of it</dt><dd><Untrusted text={request.detail} /></dd></>}
        />
      }
      act={send}
      done={approve ? "Approved: the device gets its certificate when it asks again." : "The request is refused."}
    />
  );
}

/// Which keys the certificates have.
export function Keys() {
  const keys = useQuery(certificateKeysQuery);
  return (
    <Panel title="Kinds of keys" flush>
      <Table
        caption="Kinds of keys"
        rows={keys.data?.groups}
        rowKey={(g) => `${g.profile} ${g.kind}`}
        error={keys.error}
        empty={<Empty title="No key yet."><p className="quiet">Every device has one of its own, made on the device; here they are counted by kind.</p></Empty>}
        columns={[
          { key: "kind", head: "Kind", phone: "title", cell: (g) => <strong>{g.kind}</strong> },
          { key: "profile", head: "Profile", label: "profile", cell: (g) => g.profile },
          { key: "certificates", head: "Certificates", phone: "side", numeric: true, cell: (g) => count(g.certificates) },
          { key: "accepted", head: "Taken today", cell: (g) => (g.accepted ? <State tone="good">yes</State> : <State tone="watch">not any more</State>) },
          { key: "safe", head: "Against quantum computers", phone: "hide", cell: (g) => (g.quantumSafe ? "safe" : <span className="quiet">not safe</span>) },
        ]}
      />
    </Panel>
  );
}

/// What certificates of each kind are like, and who may have one.
export function Profiles() {
  const profiles = useQuery(profilesQuery);
  return (
    <Panel title="Profiles" flush footer={<>Set with <code>holdfast cert profile set NAME --file profile.yaml</code>. What is issued already stays as it is.</>}>
      <Table
        caption="Certificate profiles"
        rows={profiles.data?.profiles}
        rowKey={(p) => p.name}
        error={profiles.error}
        empty={<Empty title="No profile." />}
        columns={[
          { key: "name", head: "Name", phone: "title", cell: (p) => <strong>{p.name}</strong> },
          { key: "use", head: "For", phone: "side", cell: (p) => p.usages.join(", ") },
          { key: "life", head: "Lives", label: "lives", cell: (p) => duration(p.validity?.lifetime) },
          { key: "keys", head: "Keys", phone: "full", cell: (p) => p.keys?.kinds?.join(", ") ?? "" },
          { key: "by", head: "First asked by", phone: "full", cell: (p) => p.admittance?.credentials?.join(", ") ?? "" },
          { key: "also", head: "And", phone: "full", cell: (p) => [p.admittance?.approval && "a person’s approval", p.admittance?.attestation && p.admittance.attestation !== "none" && `attestation by ${p.admittance.attestation}`, p.admittance?.channelBound && "bound to its TLS channel"].filter(Boolean).join(", ") || <span className="quiet">nothing more</span> },
        ]}
      />
    </Panel>
  );
}

/// Who vouches for our devices.
export function Authorities() {
  const authorities = useQuery(authoritiesQuery);
  return (
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
  );
}

/// Whose certificates from the factory count.
export function Anchors() {
  const anchors = useQuery(anchorsQuery);
  return (
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

/// Keys that speak for a device under a profile: gateways and servers that renew by ACME.
export function AcmeAccounts() {
  const accounts = useInfiniteQuery(acmeAccountsQuery);
  const rows = accounts.data?.pages.flatMap((page) => page.accounts);
  return (
    <Panel title="ACME accounts" flush>
      <Table
        caption="ACME accounts"
        rows={rows}
        rowKey={(a) => a.id}
        error={accounts.error}
        retry={() => void accounts.refetch()}
        empty={<Empty title="No account yet."><p className="quiet">A gateway or server opens one with uacme, certbot or lego, and a secret of its device: <code>holdfast device secret DEVICE</code>.</p></Empty>}
        more={{ has: accounts.hasNextPage, busy: accounts.isFetchingNextPage, load: () => void accounts.fetchNextPage() }}
        columns={[
          { key: "device", head: "Device", phone: "title", cell: (a) => <Link className="key mono nowrap" to="/devices/$id" params={{ id: a.device }}>{a.device}</Link> },
          { key: "status", head: "Status", phone: "side", cell: (a) => (a.status === "valid" ? <State tone="good">valid</State> : <State tone="calm">deactivated</State>) },
          { key: "profile", head: "Profile", label: "profile", cell: (a) => a.profile },
          { key: "id", head: "Account", label: "account", cell: (a) => <code className="break">{a.id}</code> },
          { key: "secret", head: "Bound by secret", phone: "hide", cell: (a) => <code className="break">{a.secret}</code> },
          { key: "made", head: "Opened", label: "opened", cell: (a) => <When at={a.createdAt} /> },
          { key: "orders", head: "Orders", phone: "full", cell: (a) => <>{many(a.orders, "order")}, {count(a.issued)} with a certificate{a.lastOrderAt && <>, the last <When at={a.lastOrderAt} /></>}</> },
          { key: "act", head: "", phone: "act", cell: (a) => a.status === "valid" && <Deactivate account={a} /> },
        ]}
      />
    </Panel>
  );
}

function Deactivate({ account }: { account: Schemas["AcmeAccount"] }) {
  return (
    <Act
      label="Deactivate"
      danger
      quiet
      title={`Deactivate an account of ${account.device}`}
      confirm="Deactivate 1 account"
      preview={
        <Consequence
          many="1 account"
          which={<><code className="break">{account.id}</code>, which speaks for <code>{account.device}</code> under profile {account.profile}</>}
          until="for ever: its key is refused at once, and orders that are not finished are invalid"
          undo="Not possible; make a new secret for the device, and let it open another account."
          also={<><dt>Its certificates</dt><dd>{account.issued > 0 ? "stay as they are; revoke them where they should not" : "it has none that is remembered"}</dd></>}
        />
      }
      act={(reason, key) => must(api.POST("/acme-accounts/{id}/deactivate", { params: { path: { id: account.id }, header: { "Idempotency-Key": key } }, body: { reason } }))}
      done="The account is deactivated."
    />
  );
}
