import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { api, must, type Schemas } from "../api/client";
import { Act, Consequence } from "./Act";
import { Legs } from "./Legs";
import { Mark } from "./Mark";
import { ProblemNotice, SkeletonLines } from "./Page";
import { many } from "./time";
import { When } from "./When";

const TIMES = [
  ["PT1H", "1 hour"],
  ["PT24H", "24 hours"],
  ["P7D", "7 days"],
] as const;

/// What a person may do with a device: each says how many, which, until when, and how to undo before it is done.
export function DeviceActions({ device }: { device: Schemas["Device"] }) {
  const [time, setTime] = useState<string>("PT24H");
  const field = useId();
  const id = <code>{device.id}</code>;
  const params = (key: string) => ({ params: { path: { id: device.id }, header: { "Idempotency-Key": key } } });
  const held = device.state === "quarantined" || device.state === "suspended";
  return (
    <>
      {held && (
        <Act
          label="Reinstate"
          primary
          title={`Let ${device.id} work again`}
          confirm="Reinstate 1 device"
          preview={<Consequence many="1 device" which={id} until="no limit" undo="Isolate or suspend it again, here." also={<><dt>Effect</dt><dd>It may connect at once with the certificate it has; its gateway forwards its packets again.</dd></>} />}
          act={(reason, key) => must(api.POST("/devices/{id}/reinstate", { ...params(key), body: { reason } }))}
          done={`${device.id} is reinstated.`}
        />
      )}
      {device.state === "active" && (
        <Act
          label="Isolate"
          danger
          title={`Isolate ${device.id}`}
          confirm="Isolate"
          preview={() => <IsolationPreview id={device.id} />}
          extra={
            <label className="field" htmlFor={field}>
              For how long
              <select id={field} className="input" value={time} onChange={(event) => setTime(event.target.value)}>
                {TIMES.map(([value, label]) => <option key={value} value={value}>{label}</option>)}
              </select>
            </label>
          }
          act={(reason, key) => must(api.POST("/devices/{id}/isolate", { ...params(key), body: { reason, for: time } }))}
          done={`${device.id} is isolated.`}
        />
      )}
      {(device.state === "active" || device.state === "quarantined" || device.state === "enrolled") && (
        <Act
          label="Suspend"
          danger
          quiet
          title={`Suspend ${device.id}`}
          confirm="Suspend 1 device"
          preview={<Consequence many="1 device" which={id} until="a person reinstates it" undo="Reinstate it, here." also={<><dt>Effect</dt><dd>For an identity in doubt: it is refused everywhere, even healing updates, and its sessions are cut.</dd></>} />}
          act={(reason, key) => must(api.POST("/devices/{id}/suspend", { ...params(key), body: { reason } }))}
          done={`${device.id} is suspended.`}
        />
      )}
      {device.state !== "retired" && (
        <Act
          label="Retire"
          title={`Retire ${device.id} for ever`}
          danger
          quiet
          confirm="Retire 1 device for ever"
          preview={<Consequence many="1 device" which={id} until="for ever; all its certificates are revoked" undo={<><strong>Cannot be undone.</strong> A device that comes back is registered under a new id.</>} />}
          act={(reason, key) => must(api.POST("/devices/{id}/retire", { ...params(key), body: { reason } }))}
          done={`${device.id} is retired.`}
        />
      )}
    </>
  );
}

function IsolationPreview({ id }: { id: string }) {
  const preview = useQuery({ queryKey: ["device", id, "isolation-preview"], queryFn: () => must(api.GET("/devices/{id}/isolate/preview", { params: { path: { id } } })), staleTime: 0 });
  if (preview.error) return <ProblemNotice error={preview.error} />;
  if (!preview.data) return <SkeletonLines lines={3} />;
  const p = preview.data;
  return (
    <div className="stack">
      <Consequence
        many={many(p.devices.length, "device")}
        which={<span className="mono break">{p.devices.slice(0, 12).join(", ")}{p.devices.length > 12 ? ` and ${p.devices.length - 12} more reached through it` : ""}</span>}
        until={<>the time chosen below; with 24 hours, <When at={p.until} /></>}
        undo="In the incident that this opens, or with Reinstate here."
        also={p.budget && <><dt>This hour</dt><dd>{p.budget.used} of {p.budget.limit} automatic isolations are used; yours does not count.</dd></>}
      />
      <Legs legs={p.legs} />
      {p.neverIsolate && (
        <div className="notice watch"><Mark tone="watch" /><span>This device is on the never-isolate list: no automatic response may touch it. A person may.</span></div>
      )}
    </div>
  );
}
