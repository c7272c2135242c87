import { Link } from "@tanstack/react-router";
import { useId, useState } from "react";
import { api, must, type Schemas } from "../api/client";
import { Act, Consequence } from "./Act";
import { State } from "./Mark";
import { Table } from "./Table";
import { When } from "./When";
import { CERTIFICATE_STATUS } from "./words";

const CODES: Schemas["RevocationCode"][] = ["unspecified", "keyCompromise", "affiliationChanged", "superseded", "cessationOfOperation", "privilegeWithdrawn"];

export function CertificateTable({ rows, error, retry, empty, withDevice, more }: {
  rows: readonly Schemas["Certificate"][] | undefined;
  error: unknown;
  retry: () => void;
  empty: React.ReactNode;
  withDevice?: boolean;
  more?: React.ComponentProps<typeof Table>["more"];
}) {
  return (
    <Table
      caption="Certificates"
      rows={rows}
      rowKey={(c) => c.serial}
      error={error}
      retry={retry}
      empty={empty}
      more={more}
      columns={[
        { key: "serial", head: "Serial", phone: "title", cell: (c) => <Link className="key mono" to="/certificates/$serial" params={{ serial: c.serial }} title={c.serial}>{c.serial.length > 20 ? `${c.serial.slice(0, 8)}…${c.serial.slice(-8)}` : c.serial}</Link> },
        ...(withDevice ? [{ key: "device", head: "Device", label: "of", cell: (c: Schemas["Certificate"]) => <Link className="key mono" to="/devices/$id" params={{ id: c.device }}>{c.device}</Link> }] : []),
        { key: "status", head: "Status", phone: "side" as const, cell: (c) => <State tone={CERTIFICATE_STATUS[c.status].tone}>{CERTIFICATE_STATUS[c.status].word}</State> },
        { key: "profile", head: "Profile", phone: "hide" as const, cell: (c) => c.profile ?? "" },
        { key: "from", head: "Valid from", phone: "hide" as const, cell: (c) => <When at={c.notBefore} /> },
        { key: "to", head: "Ends", label: "ends", cell: (c) => <When at={c.notAfter} /> },
        { key: "revoked", head: "Revoked", label: "revoked", phone: "hide" as const, cell: (c) => (c.revokedAt ? <><When at={c.revokedAt} /> <span className="quiet">{c.revocationCode}</span></> : <span className="quiet">no</span>) },
        { key: "act", head: "", phone: withDevice ? ("hide" as const) : ("act" as const), cell: (c) => (c.status === "valid" ? <Revoke certificate={c} /> : null) },
      ]}
    />
  );
}

/// Make before break: the device is told to renew, and what it has counts until it has used the new one.
export function Rotate({ certificate }: { certificate: Schemas["Certificate"] }) {
  return (
    <Act
      label="Rotate"
      title="Tell the device to renew now"
      confirm="Rotate 1 certificate"
      preview={<Consequence many="1 certificate" which={<><code className="break">{certificate.serial}</code> of <code>{certificate.device}</code></>} until="the device has used its new certificate; until then this one counts. A device on MQTT is told at once, others at their next contact" undo="Stop it under renewals (holdfast cert renewal stop) while the device has not been told; what was renewed can go back while the profile’s overlap lasts (holdfast cert rollback)." />}
      act={(reason, key) => must(api.POST("/renewal-campaigns", { params: { header: { "Idempotency-Key": key } }, body: { reason, serial: certificate.serial } }))}
      done={(campaign) => (campaign.total > 0 ? "The device is told to renew." : "It does not count any more: nothing is renewed.")}
    />
  );
}

export function Revoke({ certificate }: { certificate: Schemas["Certificate"] }) {
  const [code, setCode] = useState<Schemas["RevocationCode"]>("unspecified");
  const field = useId();
  return (
    <Act
      label="Revoke"
      danger
      quiet
      title="Revoke this certificate"
      confirm="Revoke"
      preview={<Consequence many="1 certificate" which={<><code className="break">{certificate.serial}</code> of <code>{certificate.device}</code></>} until="for ever; sessions that use it are cut at once" undo="A revocation cannot be undone. The device enrols again with a new token." />}
      extra={
        <label className="field" htmlFor={field}>
          Code in the revocation list
          <select id={field} className="input" value={code} onChange={(event) => setCode(event.target.value as Schemas["RevocationCode"])}>
            {CODES.map((c) => <option key={c}>{c}</option>)}
          </select>
        </label>
      }
      act={(reason, key) => must(api.POST("/certificates/{serial}/revoke", { params: { path: { serial: certificate.serial }, header: { "Idempotency-Key": key } }, body: { reason, code } }))}
      done="The certificate is revoked."
    />
  );
}
