import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useId, useState } from "react";
import { api, must, type Schemas } from "../api/client";
import { releasesQuery, signingKeysQuery } from "../api/queries";
import { Act } from "../parts/Act";
import { Empty, Page, Panel, Skeleton } from "../parts/Page";
import { Table } from "../parts/Table";
import { bytes, many } from "../parts/time";
import { Untrusted } from "../parts/Untrusted";
import { When } from "../parts/When";

/// What may run on our devices, and who signed it?
export function Firmware() {
  const releases = useQuery(releasesQuery);
  const keys = useQuery(signingKeysQuery);
  const n = releases.data?.releases.length;
  const k = keys.data?.keys.length;
  return (
    <Page
      title="Firmware"
      question="What may run on our devices, and who signed it?"
      answer={n === undefined || k === undefined ? releases.error || keys.error ? "Not known." : <Skeleton width="20ch" height={26} /> : n === 0 ? "There is no release yet." : `${many(n, "release")}, signed by ${many(k, "trusted key")}.`}
      more="A release is accepted only with a signature by one of the keys below; devices check it again, with the key they were built with."
      actions={<AddKey />}
    >
      <Panel title="Releases" flush>
        <Table
          caption="Releases"
          rows={releases.data?.releases}
          rowKey={(r) => r.id}
          error={releases.error}
          retry={() => void releases.refetch()}
          empty={
            <Empty title="No release yet.">
              <p className="quiet">Sign where the key is, not here: <code>holdfast firmware sign</code> makes the manifest, <code>holdfast firmware upload</code> and <code>holdfast firmware release</code> bring both. Trust the public key first.</p>
            </Empty>
          }
          columns={[
            { key: "version", head: "Release", phone: "title", cell: (r) => <strong>{r.model} {r.version}</strong> },
            { key: "hardware", head: "Hardware", label: "for", cell: (r) => r.hardware },
            { key: "counter", head: "Security counter", label: "counter", numeric: true, cell: (r) => r.securityCounter },
            { key: "format", head: "Form", cell: (r) => ({ manifest: "signed manifest", swupdate: "SWUpdate" })[r.format] },
            { key: "file", head: "File", phone: "full", cell: (r) => <span className="break"><Untrusted text={r.artifact.name} /> <span className="quiet">{bytes(r.artifact.size)}, sha256 <code title={r.artifact.sha256}>{r.artifact.sha256.slice(0, 12)}…</code></span></span> },
            { key: "key", head: "Signed by", label: "signed by", cell: (r) => <Signer id={r.signedBy} keys={keys.data?.keys} /> },
            { key: "at", head: "Made", phone: "side", cell: (r) => <When at={r.createdAt} /> },
          ]}
        />
      </Panel>
      <Panel title="Keys whose signature makes a release" flush>
        <Table
          caption="Signing keys"
          rows={keys.data?.keys}
          rowKey={(key) => key.id}
          error={keys.error}
          empty={<Empty title="No key is trusted yet."><p className="quiet">Without one nothing can be released. Add the public half here; the private half stays where you sign.</p></Empty>}
          columns={[
            { key: "name", head: "Name", phone: "title", cell: (key) => <strong><Untrusted text={key.name} /></strong> },
            { key: "id", head: "Id", phone: "full", cell: (key) => <code className="break">{key.id}</code> },
            { key: "algorithm", head: "Algorithm", cell: (key) => key.algorithm },
            { key: "added", head: "Added", phone: "side", cell: (key) => <When at={key.addedAt} /> },
            {
              key: "act", head: "", phone: "act",
              cell: (key) => (
                <Act
                  label="Remove"
                  danger
                  quiet
                  reason="none"
                  title={`Trust ${key.name} no more`}
                  confirm="Remove"
                  preview={<p className="quiet">No new release can be made with it. Releases that were made stay, and go on in their rollouts. To undo: add the key again.</p>}
                  act={() => must(api.DELETE("/signing-keys/{id}", { params: { path: { id: key.id } } }))}
                  done="The key is removed."
                />
              ),
            },
          ]}
        />
      </Panel>
      {n !== undefined && n > 0 && <p className="quiet">Take a release to devices under <Link to="/rollouts">Rollouts</Link>.</p>}
    </Page>
  );
}

function AddKey() {
  const [name, setName] = useState("");
  const [pem, setPem] = useState("");
  const f = useId();
  return (
    <Act
      label="Trust a key"
      title="Trust a key for releases"
      reason="none"
      confirm="Trust it"
      preview={<p className="quiet">Whoever holds the private half can make releases that this server offers to devices. Only an administrator may do this.</p>}
      extra={
        <>
          <label className="field" htmlFor={`${f}n`}>Name
            <input id={`${f}n`} className="input" required maxLength={80} value={name} onChange={(e) => setName(e.target.value)} />
          </label>
          <label className="field" htmlFor={`${f}p`}>Public key or certificate, PEM
            <textarea id={`${f}p`} className="input mono" rows={6} required maxLength={20000} placeholder="-----BEGIN PUBLIC KEY-----" value={pem} onChange={(e) => setPem(e.target.value)} />
          </label>
        </>
      }
      act={() => must(api.POST("/signing-keys", { body: { name, pem } }))}
      done="The key is trusted."
    />
  );
}

/// By the name people gave the key; of one that is trusted no more, the beginning of its id.
function Signer({ id, keys }: { id?: string; keys?: Schemas["SigningKey"][] }) {
  if (!id) return null;
  const name = keys?.find((key) => key.id === id)?.name;
  return <span title={id}>{name ? <Untrusted text={name} /> : <code>{id.slice(0, 12)}…</code>}</span>;
}
